//! Where the line lies, how often somebody had to try, and how the patient sits: words beside the answers of C12, because
//! whoever looks at the site later, or looks for another vein, has to find them.

use crate::pages::visit::form::{Choice, Field, Form, Kind};
use crate::pages::visit::typed::Typed;
use crate::words::capital;
use clinic::session::GateAnswer;

/// How the patient is placed, as the field sends it and as a person reads it.
const POSITIONS: [&str; 3] = ["seated", "reclined", "lying"];

/// The fields of the line, as they were answered before.
pub(super) fn fields(form: Form, before: Option<&GateAnswer>) -> Form {
    let [site, attempts, position] = before.map(|answer| read(&answer.note)).unwrap_or_default();
    let positions = POSITIONS.map(|one| Choice::of(one, capital(one))).into();
    form.with(
        Field::new(Kind::Line, "line_site", "Where the line lies").hint("Such as: left forearm.").known(site),
    )
    .with(Field::number("line_attempts", "Attempts until it lay", "").known(attempts))
    .with(Field::one("position", "The patient is", positions).known(position))
}

/// A line that flushes has a place, a number of attempts and a patient who is placed.
pub(super) fn said(typed: &mut Typed) {
    let lies = typed.text("iv_patent") == "yes";
    if lies && typed.text("line_site").is_empty() {
        let _: Option<()> = typed.wrong("line_site", "Where the line lies is empty. Say limb and place.");
    }
    if lies && typed.text("position").is_empty() {
        let _: Option<()> = typed.wrong("position", "Choose how the patient is placed.");
    }
    if lies || !typed.text("line_attempts").is_empty() {
        let accepted = "a whole number, 1 or more";
        if typed.whole::<u8>("line_attempts", "The number of attempts", accepted) == Some(0) {
            let zero = format!("The number of attempts “0” cannot be right; accepted is {accepted}.");
            let _: Option<()> = typed.wrong("line_attempts", zero);
        }
    }
    let _ = typed.one_of("position", "The position", &POSITIONS);
}

/// `Left forearm, 2 attempts, reclined`; what nobody said is left out.
pub(super) fn note(typed: &Typed) -> String {
    let attempts = match typed.text("line_attempts").as_str() {
        "" => String::new(),
        "1" => "1 attempt".to_owned(),
        more => format!("{more} attempts"),
    };
    let said = [typed.text("line_site"), attempts, typed.text("position")];
    said.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

/// Place, attempts and position out of the note; notes of before these were asked are read as the place.
fn read(note: &str) -> [String; 3] {
    let (rest, position) = match note.rsplit_once(", ") {
        Some((rest, last)) if POSITIONS.contains(&last) => (rest, last),
        _ => (note, ""),
    };
    let (site, attempts) = match rest.rsplit_once(", ") {
        Some((site, last)) if last.contains("attempt") => (site, last.split(' ').next().unwrap_or_default()),
        _ => (rest, ""),
    };
    [site, attempts, position].map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn what_was_said_of_the_line_stands_in_the_form_again() {
        for (note, parts) in [
            ("Left forearm, 2 attempts, reclined", ["Left forearm", "2", "reclined"]),
            ("Right hand, back, 1 attempt, lying", ["Right hand, back", "1", "lying"]),
            ("left arm, second try", ["left arm, second try", "", ""]),
            ("", ["", "", ""]),
        ] {
            assert_eq!(read(note), parts.map(str::to_owned), "{note}");
        }
    }
}
