//! Forms as pages show them: the hidden token, the fields with their faults, one button.
//! Spec site.md 11.2, 15.

use askama::Template;
use axum::response::{Html as Whole, IntoResponse, Response};
use ui::form::{Fault as Shown, Field, summary};
use ui::html::Html;
use ui::page::{Notice, Page, Tone};

use super::paper;
use crate::Site;
use crate::access::{Refusal, Viewer};
use crate::people::Fault;

/// A form.
#[derive(Debug, Template)]
#[template(path = "sheet.html")]
pub(crate) struct Sheet<'a> {
    csrf: &'a str,
    action: String,
    hidden: Vec<(&'static str, String)>,
    fields: Vec<Html>,
    button: &'static str,
    class: &'static str,
}

impl<'a> Sheet<'a> {
    /// An empty one that is sent to `action`.
    pub(crate) fn new(viewer: &'a Viewer, action: impl Into<String>, button: &'static str) -> Self {
        Self { csrf: viewer.csrf(), action: action.into(), hidden: Vec::new(), fields: Vec::new(), button, class: "go" }
    }

    /// With what is sent along.
    pub(crate) fn hidden(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.hidden.push((name, value.into()));
        self
    }

    /// With these fields and what is wrong with them.
    pub(crate) fn fields(mut self, fields: &[Field], faults: &[Shown]) -> Self {
        self.fields.extend(fields.iter().map(|field| field.shown(faults)));
        self
    }

    /// With a piece between the fields.
    pub(crate) fn piece(mut self, html: Html) -> Self {
        self.fields.push(html);
        self
    }

    /// One that takes something away.
    pub(crate) fn danger(mut self) -> Self {
        self.class = "stop";
        self
    }

    /// The element.
    pub(crate) fn shown(&self) -> Html {
        Html::of(self)
    }
}

#[derive(Template)]
#[template(path = "inline.html")]
struct Inline<'a> {
    csrf: &'a str,
    action: &'a str,
    hidden: &'a [(&'static str, String)],
    reason: &'a str,
    button: &'a str,
    about: &'a str,
}

/// A form of one line in a table: a button, and the reason if `asks` says for what it is one. Screen readers hear `about`
/// behind the button's word, for there are many such buttons on a page.
pub(crate) fn inline(
    viewer: &Viewer,
    action: &str,
    hidden: &[(&'static str, String)],
    (button, about): (&str, &str),
    asks: &str,
) -> Html {
    Html::of(&Inline { csrf: viewer.csrf(), action, hidden, reason: asks, button, about })
}

/// What is wrong, as a form shows it.
///
/// # Errors
/// What no field of the form is about.
pub(crate) fn faults(fault: Fault) -> Result<Vec<Shown>, Refusal> {
    match fault {
        Fault::Field { name, why } => Ok(vec![Shown { field: Some(name.to_owned()), message: first_upper(&why) }]),
        Fault::Refused(Refusal::Conflict(why) | Refusal::Invalid(why) | Refusal::Forbidden(why)) => {
            Ok(vec![Shown { field: None, message: why }])
        }
        other => Err(other.into()),
    }
}

fn first_upper(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).chain(['.']).collect()).unwrap_or_default()
}

/// The whole answer: a page around its content.
pub(crate) fn page(site: &Site, viewer: &Viewer, page: Page, main: &Html) -> Response {
    Whole(paper(site, viewer, page, main)).into_response()
}

/// The same with faults listed on top; 422 if there are any.
pub(crate) fn page_with(site: &Site, viewer: &Viewer, frame: Page, faults: &[Shown], main: &Html) -> Response {
    let mut all = summary(faults);
    all.push(main);
    let mut answer = page(site, viewer, frame, &all);
    if !faults.is_empty() {
        *answer.status_mut() = axum::http::StatusCode::UNPROCESSABLE_ENTITY;
    }
    answer
}

/// The notice of what was just done.
pub(crate) fn done(words: Option<&str>) -> Vec<Notice> {
    words.map(|words| Notice::text(Tone::Good, words)).into_iter().collect()
}
