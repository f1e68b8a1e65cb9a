//! Whether two spellings are one name. Case, order, accents and punctuation do not count, an initial stands for a name
//! that begins with it, and Danish, German and Dutch double letters stand for the letter that they spell.

/// Every word of the shorter name is in the longer one, and one of them at least is more than an initial.
pub(super) fn is_the_same(one: &str, other: &str) -> bool {
    let (one, other) = (words(one), words(other));
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    let stands_in_long = |word: &String| long.iter().any(|its| fits(word, its));
    shared(&short, &long) && short.iter().all(stands_in_long)
}

/// A whole word is in both.
pub(super) fn shares_a_word(one: &str, other: &str) -> bool {
    shared(&words(one), &words(other))
}

fn shared(one: &[String], other: &[String]) -> bool {
    one.iter().any(|word| word.chars().nth(1).is_some() && other.contains(word))
}

fn fits(one: &str, other: &str) -> bool {
    let initial = |short: &str, long: &str| short.chars().nth(1).is_none() && long.starts_with(short);
    one == other || initial(one, other) || initial(other, one)
}

fn words(name: &str) -> Vec<String> {
    let plain: String = name.chars().flat_map(char::to_lowercase).filter_map(plain).collect();
    let plain = [("ß", "ss"), ("aa", "a"), ("ae", "a"), ("oe", "o"), ("ue", "u")]
        .iter()
        .fold(plain, |text, (spelt, letter)| text.replace(spelt, letter));
    plain.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// A letter without its accent; `None` for an accent that stands by itself, and for what only joins a name.
const fn plain(letter: char) -> Option<char> {
    Some(match letter {
        '\u{300}'..='\u{36f}' | '\'' | '’' => return None,
        'à'..='æ' | 'ā' | 'ă' | 'ą' => 'a',
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => 'c',
        'ď' | 'đ' | 'ð' => 'd',
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => 'e',
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => 'g',
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => 'i',
        'ĺ' | 'ļ' | 'ľ' | 'ł' => 'l',
        'ñ' | 'ń' | 'ņ' | 'ň' => 'n',
        'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' | 'œ' => 'o',
        'ŕ' | 'ř' => 'r',
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => 's',
        'ţ' | 'ť' | 'ț' => 't',
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => 'u',
        'ý' | 'ÿ' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_in_two_spellings_is_one_name() {
        for (one, other) in [
            ("Östergaard Anna", "ANNA OESTERGÅRD"),
            ("O'Neill Siobhán", "ONEILL SIOBHAN"),
            ("Müller-Lüdenscheid Jo", "mueller ludenscheid jo"),
            ("Ngu\u{302}yen Thi", "nguyen thi"),
            ("Straße Ann", "STRASSE A."),
        ] {
            assert!(is_the_same(one, other) && is_the_same(other, one), "{one} {other}");
        }
    }

    #[test]
    fn two_names_are_two_names() {
        for (one, other) in
            [("Rivera Ana", "Rivera Anna"), ("Lee Kim", "Lee Kai"), ("A B", "Ada Byron"), ("", "Lee")]
        {
            assert!(!is_the_same(one, other), "{one} {other}");
        }
        assert!(!shares_a_word("Lee A", "Kim A"), "an initial is no name");
    }
}
