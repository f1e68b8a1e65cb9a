//! A form as data: fields with their units, what was typed, and what is wrong with it. One template draws them all,
//! so that every form keeps what was typed, names the reason beside the field, and needs no script.

use super::again::READ_AGAIN;
use crate::auth::gate::Posted;
use crate::pages::FieldError;
use axum::http::StatusCode;

/// One way to answer a choice.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// As sent.
    pub value: String,
    /// As read.
    pub label: String,
    /// Chosen now.
    pub chosen: bool,
}

impl Choice {
    /// One to choose from.
    pub fn of(value: impl ToString, label: impl ToString) -> Self {
        Self { value: value.to_string(), label: label.to_string(), chosen: false }
    }
}

/// How a field is filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// One line.
    Line,
    /// A decimal number in the unit that stands beside it.
    Number,
    /// Never shown and never kept.
    Secret,
    /// Several lines.
    Words,
    /// A calendar day.
    Day,
    /// A moment on the clinic's clock.
    Moment,
    /// One of a few, all in view.
    One,
    /// One of many.
    Listed,
    /// Any of them.
    Ticks,
}

/// One field.
#[derive(Debug, Clone)]
pub struct Field {
    /// Name in the form.
    pub name: String,
    /// For a person.
    pub label: String,
    /// How it is filled in.
    pub kind: Kind,
    /// What stands in it.
    pub value: String,
    /// Beside it.
    pub unit: String,
    /// Below the label.
    pub hint: String,
    /// What is wrong.
    pub error: String,
    /// For choices.
    pub choices: Vec<Choice>,
    /// What a browser may fill in.
    pub autocomplete: &'static str,
    /// Most characters, where a browser counts along.
    pub most: Option<usize>,
    /// The first day or moment that a browser offers; empty where any may be.
    pub earliest: String,
    /// Heading of the group that begins with it; empty within a group.
    pub group: String,
    /// Not in the form until it was sent and the answer asked for this.
    pub only_asked: bool,
}

impl Field {
    /// An empty field.
    pub fn new(kind: Kind, name: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            label: label.into(),
            kind,
            value: String::new(),
            unit: String::new(),
            hint: String::new(),
            error: String::new(),
            choices: Vec::new(),
            autocomplete: "off",
            most: None,
            earliest: String::new(),
            group: String::new(),
            only_asked: false,
        }
    }
    /// A decimal number in a unit.
    pub fn number(name: impl Into<String>, label: impl Into<String>, unit: &str) -> Self {
        Self { unit: unit.to_owned(), ..Self::new(Kind::Number, name, label) }
    }
    /// Yes or no.
    pub fn yes_no(name: impl Into<String>, label: impl Into<String>) -> Self {
        let choices = vec![Choice::of("yes", "Yes"), Choice::of("no", "No")];
        Self { choices, ..Self::new(Kind::One, name, label) }
    }
    /// One of these.
    pub fn one(name: impl Into<String>, label: impl Into<String>, choices: Vec<Choice>) -> Self {
        Self { choices, ..Self::new(Kind::One, name, label) }
    }
    /// One of a long list.
    pub fn listed(name: impl Into<String>, label: impl Into<String>, choices: Vec<Choice>) -> Self {
        Self { choices, ..Self::new(Kind::Listed, name, label) }
    }
    /// Any of these.
    pub fn ticks(name: impl Into<String>, label: impl Into<String>, choices: Vec<Choice>) -> Self {
        Self { choices, ..Self::new(Kind::Ticks, name, label) }
    }
    /// How the template draws it.
    pub const fn shape(&self) -> &'static str {
        match self.kind {
            Kind::One => "one",
            Kind::Listed => "listed",
            Kind::Ticks => "ticks",
            Kind::Words => "words",
            Kind::Line | Kind::Number | Kind::Secret | Kind::Day | Kind::Moment => "line",
        }
    }
    /// Type of the input.
    pub const fn input_type(&self) -> &'static str {
        match self.kind {
            Kind::Secret => "password",
            Kind::Day => "date",
            Kind::Moment => "datetime-local",
            _ => "text",
        }
    }
    /// Which keys a tablet offers.
    pub fn keys(&self) -> &'static str {
        match self.kind {
            Kind::Number => "decimal",
            Kind::Secret => "numeric",
            _ if matches!(self.autocomplete, "tel" | "email") => self.autocomplete,
            _ => "text",
        }
    }
    /// With words below the label.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
    /// With a bound that a browser counts along.
    #[must_use]
    pub const fn at_most(mut self, most: usize) -> Self {
        self.most = Some(most);
        self
    }
    /// With the first day or moment that a browser offers.
    #[must_use]
    pub fn not_before(mut self, earliest: impl ToString) -> Self {
        self.earliest = earliest.to_string();
        self
    }
    /// One that stands in the form only where an answer asked for it.
    #[must_use]
    pub const fn only_asked(mut self) -> Self {
        self.only_asked = true;
        self
    }
    /// The first of a group.
    #[must_use]
    pub fn begins(mut self, group: impl Into<String>) -> Self {
        self.group = group.into();
        self
    }
    /// Filled in by the browser from what it knows of the person: `name`, `tel`, `email`.
    #[must_use]
    pub const fn filled_in_by(mut self, what: &'static str) -> Self {
        self.autocomplete = what;
        self
    }
    /// The words of an error with the label in place of the name, which nobody reads on the page.
    fn told(&self, error: &FieldError) -> String {
        let named = [format!("The field {} ", self.name), format!("{} ", self.name)];
        let rest = named.iter().find_map(|named| error.text.strip_prefix(named.as_str()));
        rest.map_or_else(|| error.text.clone(), |rest| format!("“{}” {rest}", self.label))
    }
    /// With what is known already.
    #[must_use]
    pub fn known(mut self, value: impl Into<String>) -> Self {
        self.value = value.into();
        for choice in &mut self.choices {
            choice.chosen = choice.value == self.value;
        }
        self
    }
}

/// User name and PIN of whoever signs.
pub fn signature(who: &str) -> [Field; 2] {
    [
        Field::new(Kind::Line, "user", format!("{who}: user name")),
        Field::new(Kind::Secret, "pin", "PIN").hint("Signs this entry."),
    ]
}

/// One form.
#[derive(Debug, Clone)]
pub struct Form {
    /// Tells the forms of a page apart; begins the id of each field.
    pub key: String,
    /// Where it goes.
    pub action: String,
    /// Heading.
    pub title: String,
    /// Below the heading.
    pub hint: String,
    /// Fields in their order.
    pub fields: Vec<Field>,
    /// Not seen: session, chair and the like.
    pub hidden: Vec<(String, String)>,
    /// What the button says.
    pub submit: String,
    /// Other buttons that answer at one tap: name, value, label.
    pub taps: Vec<(String, String, String)>,
    /// Ends something.
    pub grave: bool,
    /// Not what comes next: its button does not call.
    pub quiet: bool,
}

impl Form {
    /// A form without fields.
    pub fn new(
        key: impl Into<String>,
        action: impl Into<String>,
        title: impl Into<String>,
        submit: impl Into<String>,
    ) -> Self {
        Self {
            key: key.into(),
            action: action.into(),
            title: title.into(),
            hint: String::new(),
            fields: Vec::new(),
            hidden: Vec::new(),
            submit: submit.into(),
            taps: Vec::new(),
            grave: false,
            quiet: false,
        }
    }
    /// With another field.
    #[must_use]
    pub fn with(mut self, field: Field) -> Self {
        self.fields.push(field);
        self
    }
    /// With several.
    #[must_use]
    pub fn with_all(mut self, fields: impl IntoIterator<Item = Field>) -> Self {
        self.fields.extend(fields);
        self
    }
    /// With words below the heading.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
    /// With a value that nobody sees.
    #[must_use]
    pub fn hidden(mut self, name: &str, value: impl Into<String>) -> Self {
        self.hidden.push((name.to_owned(), value.into()));
        self
    }
    /// A form that ends something.
    #[must_use]
    pub const fn grave(mut self) -> Self {
        self.grave = true;
        self
    }
    /// A form that is not the next step.
    #[must_use]
    pub const fn quiet(mut self) -> Self {
        self.quiet = true;
        self
    }
    /// Something in it is wrong.
    pub fn is_wrong(&self) -> bool {
        self.fields.iter().any(|field| !field.error.is_empty())
    }
    /// The fields by group, in their order; all of them in one without a heading where there are no groups.
    pub fn groups(&self) -> impl Iterator<Item = (&str, &[Field])> {
        let groups = self.fields.chunk_by(|_, next| next.group.is_empty());
        groups.filter_map(|group| Some((group.first()?.group.as_str(), group)))
    }
    /// The id of a field on the page.
    pub fn id(&self, field: &Field) -> String {
        format!("{}-{}", self.key, field.name)
    }
    /// Puts back what was typed and what is wrong with it, when this is the form that was sent.
    #[must_use]
    pub fn filled(mut self, sent: &Sent) -> Self {
        if sent.form != self.key {
            self.fields.retain(|field| !field.only_asked);
            return self;
        }
        let asked = sent.posted.all(READ_AGAIN).map(|asked| (READ_AGAIN.to_owned(), asked.to_owned()));
        self.hidden.extend(asked);
        for field in &mut self.fields {
            if field.kind != Kind::Secret {
                sent.posted.text(&field.name).clone_into(&mut field.value);
            }
            for choice in &mut field.choices {
                choice.chosen = sent.posted.all(&field.name).any(|value| value == choice.value);
            }
            if let Some(error) = sent.errors.iter().find(|error| error.field == field.name) {
                field.error = field.told(error);
            }
        }
        self.fields.retain(|field| !field.only_asked || !field.error.is_empty() || !field.value.is_empty());
        self
    }
}

/// What was sent and could not be taken.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Which form.
    pub form: String,
    /// As typed.
    pub posted: Posted,
    /// By the name of the field; empty for the form as a whole.
    pub errors: Vec<FieldError>,
    /// What the answer says.
    pub status: StatusCode,
}

impl Sent {
    /// Nothing was sent.
    pub fn nothing() -> Self {
        Self { form: String::new(), posted: Posted::default(), errors: Vec::new(), status: StatusCode::OK }
    }
    /// The summary on top of a page with these forms; each line leads to its field where the page has it.
    pub fn summary<'a>(&self, forms: impl IntoIterator<Item = &'a Form>) -> Vec<FieldError> {
        let form = forms.into_iter().find(|form| form.key == self.form);
        let place = |error: &FieldError| {
            let field =
                form.and_then(|form| Some((form, form.fields.iter().find(|f| f.name == error.field)?)));
            match field {
                Some((form, field)) => {
                    FieldError { field: form.id(field), text: field.told(error), ..error.clone() }
                }
                None => FieldError { field: String::new(), ..error.clone() },
            }
        };
        self.errors.iter().map(place).collect()
    }
}
