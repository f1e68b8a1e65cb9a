//! A vital sign that hardly can be is asked about: the form comes back with what was asked, out of sight, and the same
//! number sent once more is taken.

use crate::auth::gate::Posted;
use crate::pages::FieldError;
use clinic::device::{Parameter, ReadAgain};
use clinic::quantity::plain;
use clinic::session::{Question, READ_IT_AGAIN};
use rust_decimal::Decimal;

/// The field that says what was asked about already.
pub const READ_AGAIN: &str = "read_again";

fn token(parameter: Parameter, value: Decimal) -> String {
    format!("{} {}", parameter.name(), plain(value))
}

/// Which of these values were asked about on the form before.
pub fn sent_again(posted: &Posted, values: impl IntoIterator<Item = (Parameter, Decimal)>) -> ReadAgain {
    let asked = |(parameter, value): &(Parameter, Decimal)| {
        posted.all(READ_AGAIN).any(|asked| asked == token(*parameter, *value))
    };
    values.into_iter().filter(asked).map(|(parameter, value)| (parameter, value.normalize())).collect()
}

/// The form as it was sent, which now tells what is asked about.
pub fn asking(posted: Posted, questions: &[Question]) -> Posted {
    posted.with(READ_AGAIN, questions.iter().map(|one| token(one.parameter, one.value)))
}

/// Each question for the field of its parameter; the last one says what to do.
pub fn questions(questions: &[Question]) -> Vec<FieldError> {
    let mut asked: Vec<FieldError> =
        questions.iter().map(|one| FieldError::at(one.parameter.name(), one)).collect();
    if let Some(last) = asked.last_mut() {
        last.text = format!("{} {READ_IT_AGAIN}", last.text);
    }
    asked
}
