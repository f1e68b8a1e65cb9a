//! What the fields of a consultation are called. Documents and logs name a field by its path; a person reads its name.

use super::consulting::Section;
use crate::knowledge::Knowledge;

/// Fields of the document that the knowledge does not ask by name: the list or group, the key, the name.
const FIELDS: [(&str, &str, &str); 31] = [
    ("person", "born", "Day of birth"),
    ("person", "sex", "Sex as recorded at birth"),
    ("diagnoses", "code", "ICD-10-CM code"),
    ("diagnoses", "text", "In words"),
    ("diagnoses", "made_by", "Who made it"),
    ("diagnoses", "on", "Day of onset, or of the event"),
    ("diagnoses", "current", "Present now"),
    ("trials", "drug", "Generic name"),
    ("trials", "kind", "Kind"),
    ("trials", "current_episode", "In the current episode"),
    ("trials", "max_daily_mg", "Highest daily dose"),
    ("trials", "adequate_dose", "At least the lowest effective dose"),
    ("trials", "weeks", "Weeks at that dose"),
    ("trials", "augmentation", "Added to another"),
    ("trials", "adherence_percent", "Doses taken"),
    ("trials", "response_percent", "Fall of the score"),
    ("trials", "stopped", "Why it ended"),
    ("trials", "source", "Who says so"),
    ("medicines", "name", "Generic name"),
    ("medicines", "rxcui", "RxNorm code"),
    ("medicines", "atc", "ATC code"),
    ("medicines", "daily_mg", "Dose a day"),
    ("medicines", "hours_since_last", "Hours since the last dose"),
    ("allergies", "substance", "Substance"),
    ("allergies", "rxcui", "RxNorm code"),
    ("allergies", "reaction", "What happened"),
    ("vitals", "on", "Day on which these were taken"),
    ("vitals", "pressures", "Blood pressure"),
    ("pressures", "at", "When"),
    ("pressures", "systolic", "Systolic"),
    ("pressures", "diastolic", "Diastolic"),
];

/// What one row of a list is called.
const ROWS: [(&str, &str); 4] = [
    ("diagnoses", "Diagnosis"),
    ("trials", "Treatment tried before"),
    ("medicines", "Medicine"),
    ("allergies", "Allergy"),
];

/// What a field of a row or a group is called.
pub fn field(list: &str, key: &str) -> Option<&'static str> {
    FIELDS.iter().find(|(of, known, _)| (*of, *known) == (list, key)).map(|(_, _, name)| *name)
}

/// What a path such as `labs.hcg` or `trials[1].weeks` is called; `None` where it is no path of a consultation.
pub fn called(path: &str, knowledge: &Knowledge) -> Option<String> {
    let Some((list, rest)) = path.split_once(['.', '[']) else {
        return match path {
            "regimen" => Some("Regimen".to_owned()),
            "allergies" => Some("Allergies".to_owned()),
            _ => Section::asking(path).map(|section| section.title().to_owned()),
        };
    };
    if let Some(asked) = asked_as(path, knowledge) {
        return Some(asked);
    }
    if let Some((_, row)) = ROWS.iter().find(|(known, _)| *known == list) {
        return of_row(row, list, rest);
    }
    let (key, row) = rest.split_once('[').unwrap_or((rest, ""));
    let name = field(list, key)?;
    if row.is_empty() { Some(name.to_owned()) } else { of_row(name, key, row) }
}

/// `1].weeks` of a list: which row, and the name of its field.
fn of_row(row: &str, list: &str, rest: &str) -> Option<String> {
    let (nth, key) = rest.split_once(']')?;
    let row = format!("{row} {}", nth.parse::<usize>().ok()?.saturating_add(1));
    match key.strip_prefix('.') {
        Some(key) => Some(format!("{row}, {}", field(list, key)?)),
        None => Some(row),
    }
}

/// What the knowledge asks under a path, and which part of its answer is meant.
fn asked_as(path: &str, knowledge: &Knowledge) -> Option<String> {
    let questions = knowledge.questions()?;
    let ask = |fact: &str| Some(questions.get(fact)?.ask.trim_end_matches('?').to_owned());
    let part = |suffix: &str, name: &str| Some(format!("{}: {name}", ask(path.strip_suffix(suffix)?)?));
    let bare = |suffix: &str| ask(path.strip_suffix(suffix)?);
    ask(path)
        .or_else(|| part(".on", "day"))
        .or_else(|| part(".uln", "upper limit of normal"))
        .or_else(|| bare(".value"))
        .or_else(|| bare("_kg"))
        .or_else(|| bare("_cm"))
}

/// A text with every path in it called by its name: for a person, where a document or a log keeps the path.
pub fn in_words(text: &str, knowledge: &Knowledge) -> String {
    if let Some(name) = called(text, knowledge) {
        return name;
    }
    let of_path = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '[' | ']');
    let mut words = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(of_path) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c| !of_path(c)).unwrap_or(from.len());
        let (token, after) = from.split_at(end);
        let path = token.trim_end_matches('.');
        let name = path.contains(['.', '[']).then(|| called(path, knowledge)).flatten();
        words.push_str(before);
        match name {
            // Names stand in lists, whose commas are not theirs.
            Some(name) if name.contains(',') => words.extend(["“", &name, "”"]),
            name => words.push_str(name.as_deref().unwrap_or(path)),
        }
        words.push_str(token.strip_prefix(path).unwrap_or_default());
        rest = after;
    }
    words + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::tests::SHIPPED;

    #[test]
    fn a_path_is_read_as_what_it_is_called() {
        for (text, read) in [
            ("missing: labs.hcg, labs.alt.on. Pregnancy.", "missing: Pregnancy test, ALT: day. Pregnancy."),
            ("vitals.pressures: a second reading", "Blood pressure: a second reading"),
            ("vitals.pressures[1].at", "Blood pressure 2, When"),
            (
                "trials[0].weeks or diagnoses[2].made_by",
                "“Treatment tried before 1, Weeks at that dose” or “Diagnosis 3, Who made it”",
            ),
            ("person.weight_kg or person.born", "Weight or Day of birth"),
            ("regimen", "Regimen"),
            ("answers.psychosis_now", "Psychosis now"),
            ("E06: regimen 0.5 mg/kg. See e.g. ms.", "E06: regimen 0.5 mg/kg. See e.g. ms."),
            ("", ""),
        ] {
            assert_eq!(in_words(text, &SHIPPED), read);
        }
    }

    #[test]
    fn everything_that_can_be_missing_has_a_name() {
        for profile in SHIPPED.profiles.iter() {
            let nothing = crate::screen::Consultation::default();
            let screened = crate::screen::screen(
                &nothing,
                &profile.header.id,
                jiff::civil::date(2026, 11, 22),
                &SHIPPED,
            );
            for path in screened.expect("a verdict").missing {
                let read = in_words(&path, &SHIPPED);
                assert!(!read.contains(['_', '[']) && !read.contains("s."), "{path} is read as {read}");
            }
        }
    }
}
