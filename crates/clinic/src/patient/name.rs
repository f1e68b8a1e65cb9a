//! Whether two spellings are one name. Case, order, accents and punctuation do not count, an initial stands for a name
//! that begins with it, and a Danish, German or Dutch letter with its sign may be spelt with two, as `ae` for `ä`. Two
//! letters that were never one stay two: Michael is not Michal.

/// Every word of the shorter name is in the longer one, and one of them at least is more than an initial.
pub(super) fn is_the_same(one: &str, other: &str) -> bool {
    let (one, other) = (words(one), words(other));
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    let stands_in_long = |word: &Word| long.iter().any(|its| word.fits(its));
    shared(&short, &long) && short.iter().all(stands_in_long)
}

/// A name as a patient types it under what they sign: the family and the given name, where they are more than an
/// initial, and nothing that is in neither.
pub(super) fn signs_as(typed: &str, family: &str, given: &str) -> bool {
    let whole = |name: &str| words(name).iter().any(|word| !word.is_initial());
    let said = |name: &str| !whole(name) || shares_a_word(typed, name);
    is_the_same(typed, &format!("{family} {given}")) && said(family) && said(given)
}

/// A whole word is in both.
pub fn shares_a_word(one: &str, other: &str) -> bool {
    shared(&words(one), &words(other))
}

fn shared(one: &[Word], other: &[Word]) -> bool {
    one.iter().any(|word| !word.is_initial() && other.iter().any(|its| word.is(its)))
}

/// A word without its signs, and spelt with two letters for each sign.
struct Word {
    bare: String,
    spelt: String,
}

impl Word {
    fn is(&self, other: &Self) -> bool {
        let spellings = [&other.bare, &other.spelt];
        spellings.contains(&&self.bare) || spellings.contains(&&self.spelt)
    }
    /// One letter of an alphabet with capitals, or a digit; a Chinese name may be one character long.
    fn is_initial(&self) -> bool {
        let mut letters = self.bare.chars();
        let first = letters.next().is_some_and(|c| c.is_lowercase() || c.is_numeric());
        first && letters.next().is_none()
    }
    fn fits(&self, other: &Self) -> bool {
        let initial = |short: &Self, long: &Self| short.is_initial() && long.bare.starts_with(&short.bare);
        self.is(other) || initial(self, other) || initial(other, self)
    }
}

fn words(name: &str) -> Vec<Word> {
    let whole = [("a\u{308}", "ä"), ("o\u{308}", "ö"), ("u\u{308}", "ü"), ("a\u{30a}", "å")];
    let name = whole.iter().fold(name.to_lowercase(), |text, (parts, letter)| text.replace(parts, letter));
    let name: String = name.chars().filter(|c| !matches!(c, '\'' | '’')).collect();
    let mark = |c: &char| matches!(c, '\u{300}'..='\u{36f}');
    let apart = |c: char| !c.is_alphanumeric() && !mark(&c);
    let word = |word: &str| Word {
        bare: word.replace('ß', "ss").chars().filter_map(plain).collect(),
        spelt: spelt_out(word).chars().filter_map(plain).collect(),
    };
    name.split(apart).map(word).filter(|word| !word.bare.is_empty()).collect()
}

fn spelt_out(word: &str) -> String {
    [("ß", "ss"), ("å", "aa"), ("ä", "ae"), ("æ", "ae"), ("ö", "oe"), ("ø", "oe"), ("œ", "oe"), ("ü", "ue")]
        .iter()
        .fold(word.to_owned(), |text, (letter, two)| text.replace(letter, two))
}

/// A letter without its accent; `None` for an accent that stands by itself.
const fn plain(letter: char) -> Option<char> {
    Some(match letter {
        '\u{300}'..='\u{36f}' => return None,
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
            ("Mu\u{308}ller Jo", "MUELLER JO"),
            ("王 芳", "王 芳"),
        ] {
            assert!(is_the_same(one, other) && is_the_same(other, one), "{one} {other}");
        }
    }

    #[test]
    fn a_signature_has_family_and_given_name() {
        for typed in ["Ana Rivera", "rivera, ana", "Ana María Rivera", "ANA  RIVERA"] {
            assert!(signs_as(typed, "Rivera", "Ana"), "{typed}");
        }
        for typed in ["", "Ana", "Rivera", "A Rivera", "Anna Rivera", "Sam Rivera", "x"] {
            assert!(!signs_as(typed, "Rivera", "Ana"), "{typed}");
        }
        assert!(signs_as("O Lee", "Lee", "O"), "a given name of one letter");
    }

    #[test]
    fn two_names_are_two_names() {
        for (one, other) in [
            ("Rivera Ana", "Rivera Anna"),
            ("Lee Kim", "Lee Kai"),
            ("A B", "Ada Byron"),
            ("", "Lee"),
            ("Novak Michael", "Novak Michal"),
            ("Novak Joel", "Novak Jol"),
            ("王 芳", "王 伟"),
        ] {
            assert!(!is_the_same(one, other), "{one} {other}");
        }
        assert!(!shares_a_word("Lee A", "Kim A"), "an initial is no name");
        assert!(shares_a_word("王 芳", "王 小芳"));
    }
}
