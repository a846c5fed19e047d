//! Forms: fields with label, hint and fault, and the list of faults on top that leads to them.
//! Spec site.md 15: errors listed on top, linked to fields, `aria-describedby`.

use askama::Template;

use crate::html::Html;

/// What is wrong with what somebody sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Name of the field; none for a fault of the whole.
    pub field: Option<String>,
    /// What is wrong and what to do.
    pub message: String,
}

/// How a field is filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// One line; the word is the `type` of the input, such as `text`, `email`, `date`.
    Line(&'static str),
    /// One line about whoever fills it in, so that a browser can: `type` and the word for `autocomplete` (WCAG 1.3.5).
    Own(&'static str, &'static str),
    /// A secret: never shown again. The word is for `autocomplete`, such as `current-password`.
    Secret(&'static str),
    /// Several lines.
    Area {
        /// How many are seen at once.
        rows: u8,
    },
    /// One of some values: (value, words).
    Choice(Vec<(String, String)>),
    /// Yes or no; sent as `yes` if ticked.
    Tick,
}

/// One field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Name under which it is sent; also its id.
    pub name: String,
    /// What it is.
    pub label: String,
    /// How to fill it in; may be empty.
    pub hint: String,
    /// What is in it.
    pub value: String,
    /// Whether it must be filled in.
    pub required: bool,
    /// How it is filled in.
    pub kind: Kind,
}

#[derive(Template)]
#[template(path = "field.html")]
struct FieldPage<'a> {
    field: &'a Field,
    fault: Option<&'a str>,
    describe: String,
}

#[derive(Template)]
#[template(path = "faults.html")]
struct Faults<'a> {
    faults: &'a [Fault],
}

impl Field {
    /// A line of text, with nothing in it.
    pub fn line(name: &str, label: &str) -> Self {
        Self {
            name: name.into(),
            label: label.into(),
            hint: String::new(),
            value: String::new(),
            required: false,
            kind: Kind::Line("text"),
        }
    }

    /// The same, filled in another way.
    pub fn kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// The same with a hint.
    pub fn hint(mut self, hint: &str) -> Self {
        self.hint = hint.into();
        self
    }

    /// The same with something in it.
    pub fn value(mut self, value: impl Into<String>) -> Self {
        self.value = value.into();
        self
    }

    /// The same, to be filled in.
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The element, with the fault of this field if there is one among `faults`.
    pub fn shown(&self, faults: &[Fault]) -> Html {
        let fault = faults.iter().find(|f| f.field.as_ref() == Some(&self.name)).map(|f| f.message.as_str());
        let mut describe = String::new();
        if !self.hint.is_empty() {
            describe = format!("{}-hint", self.name);
        }
        if fault.is_some() {
            describe = format!("{describe} {}-fault", self.name).trim_start().to_owned();
        }
        Html::of(&FieldPage { field: self, fault, describe })
    }
}

/// The list of faults that stands above a form; nothing without faults.
pub fn summary(faults: &[Fault]) -> Html {
    if faults.is_empty() { Html::default() } else { Html::of(&Faults { faults }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_lead_to_their_fields() {
        let faults = [
            Fault { field: Some("name".into()), message: "`My Study` has a <space>".into() },
            Fault { field: None, message: "x".into() },
        ];
        insta::assert_snapshot!(summary(&faults).as_str());
        let field =
            Field::line("name", "Workspace name").hint("Letters, figures, - and _").value("My \"Study\"").required();
        insta::assert_snapshot!(field.shown(&faults).as_str());
        let choice = Field::line("backend", "Backend")
            .kind(Kind::Choice(vec![("tpp".into(), "TPP · dummy data".into()), ("emis".into(), "EMIS".into())]))
            .value("emis");
        insta::assert_snapshot!(choice.shown(&faults).as_str());
        assert!(summary(&[]).is_empty());
    }

    #[test]
    fn a_secret_is_never_sent_back() {
        let field = Field::line("password", "Password").kind(Kind::Secret("current-password")).value("hunter2");
        assert!(!field.shown(&[]).as_str().contains("hunter2"));
    }
}
