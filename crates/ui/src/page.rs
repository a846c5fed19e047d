//! The frame of every page: title, header, breadcrumb, notices, heading, footer.
//! Spec site.md 3 (rules for all pages), 14 (live updates), 15.

use askama::Template;

use crate::html::{Html, push_text};
use crate::icon::icon;
use crate::time::At;

/// A link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What is read.
    pub text: String,
    /// Where it leads.
    pub href: String,
    /// The section of the site that it stands for, compared with [`Page::section`]; may be empty.
    pub section: &'static str,
}

/// What is the same on every page of a site.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Name of the site.
    pub site: String,
    /// Version of the program.
    pub version: String,
    /// Where its source is.
    pub source: String,
    /// One or two sentences for the footer.
    pub about: String,
    /// Links of the header.
    pub links: Vec<Link>,
    /// Links of the footer.
    pub foot: Vec<Link>,
}

/// One step of the breadcrumb.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crumb {
    /// What kind of thing it is, such as `Workspace`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Where it is; none for the page itself.
    pub href: Option<String>,
}

impl Crumb {
    /// A step that leads somewhere.
    pub fn to(kind: &'static str, name: impl Into<String>, href: impl Into<String>) -> Self {
        Self { kind, name: name.into(), href: Some(href.into()) }
    }

    /// The page itself.
    pub fn here(kind: &'static str, name: impl Into<String>) -> Self {
        Self { kind, name: name.into(), href: None }
    }
}

/// How serious a notice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Something to know.
    Info,
    /// Something went well.
    Good,
    /// Something to take care of.
    Warning,
    /// Something is wrong.
    Bad,
}

/// A message above the heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// How serious it is.
    pub tone: Tone,
    /// What it says.
    pub html: Html,
}

impl Notice {
    /// A notice that says this text.
    pub fn text(tone: Tone, text: &str) -> Self {
        let mut html = String::from("<p>");
        push_text(&mut html, text);
        html.push_str("</p>");
        Self { tone, html: Html::trusted(html) }
    }

    /// A notice with markup: a paragraph or several.
    pub fn html(tone: Tone, html: Html) -> Self {
        Self { tone, html }
    }

    /// The element.
    pub fn shown(&self) -> Html {
        let (class, drawing) = match self.tone {
            Tone::Info => ("note", "info"),
            Tone::Good => ("note ok", "ok"),
            Tone::Warning => ("note wait", "warn"),
            Tone::Bad => ("note bad", "bad"),
        };
        Html::trusted(format!(
            "<div class=\"{class}\">{}<div>{}</div></div>",
            icon(drawing).as_str(),
            self.html.as_str()
        ))
    }
}

/// All messages above the heading, as one element with the id `notices`, so that updates can replace it.
pub fn notices(notices: &[Notice]) -> Html {
    let mut html = Html::trusted("<div id=notices>");
    for notice in notices {
        html.push(&notice.shown());
    }
    html.push(&Html::trusted("</div>"));
    html
}

/// Who reads the page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Account {
    /// The page does not say, because it is the same for everybody.
    #[default]
    Hidden,
    /// Nobody who signed in.
    Nobody {
        /// Where one signs in.
        sign_in: String,
    },
    /// A person.
    Person {
        /// Shown in the header.
        name: String,
        /// Where their settings are.
        settings: String,
        /// Where the form of signing out is sent.
        sign_out: String,
        /// The token against forged forms, sent as `csrf`.
        token: String,
    },
}

/// One page.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Name of the page, for the title; the site's name is put behind it.
    pub title: String,
    /// The one heading of the first rank.
    pub heading: String,
    /// What stands beside the heading, such as a status label.
    pub beside: Option<Html>,
    /// One sentence for those who show links to this page.
    pub description: String,
    /// The one address of this page; none for pages that robots are to leave alone.
    pub canonical: Option<String>,
    /// Which link of the header is the current one.
    pub section: &'static str,
    /// The steps that lead here.
    pub crumbs: Vec<Crumb>,
    /// Messages above the heading.
    pub notices: Vec<Notice>,
    /// The same as one element that was drawn before ([`notices`]), of a page on which they can change.
    pub told: Option<Html>,
    /// Who reads it.
    pub account: Account,
    /// Address of the stream of updates; only on pages that are not final.
    pub live: Option<String>,
    /// When it was made.
    pub made: Option<At>,
}

#[derive(Template)]
#[template(path = "base.html")]
struct Base<'a> {
    frame: &'a Frame,
    page: &'a Page,
    main: &'a Html,
}

/// What of a page says when it was made, between these.
const MADE: (&str, &str) = ("<span id=made>", "</span>");

/// A page without the moment at which it was made: what is before it and behind it. Two pages with the same of both say the
/// same, so a browser that has one of them needs no other.
pub fn but_when(page: &str) -> (&str, &str) {
    let Some((before, rest)) = page.split_once(MADE.0) else { return (page, "") };
    rest.split_once(MADE.1).map_or((page, ""), |(_, behind)| (before, behind))
}

impl Page {
    /// When it was made, and the way to read it again without script.
    fn made_note(&self) -> Html {
        let Some(at) = self.made else { return Html::default() };
        let (begin, end) = MADE;
        Html::trusted(format!("{begin}As it was at {}.{end} <a href=\"\">Refresh</a>", at.plain().as_str()))
    }

    /// The whole page around its content.
    pub fn around(&self, frame: &Frame, main: &Html) -> String {
        let mut html = String::with_capacity(main.as_str().len() + 4_096);
        // A `String` never refuses, and every value of this template can be shown.
        let _always_ok = Base { frame, page: self, main }.render_into(&mut html);
        html
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_pages_that_differ_in_when_they_were_made_alone_say_the_same() {
        let frame = Frame {
            site: "S".into(),
            version: "1".into(),
            source: "/".into(),
            about: String::new(),
            links: vec![],
            foot: vec![],
        };
        for live in [None, Some("events".to_owned())] {
            let page = |at| {
                Page { live: live.clone(), made: Some(At(at)), ..Page::default() }.around(&frame, &Html::text("x"))
            };
            let (early, late) = (page(1), page(5_000_000));
            assert_ne!(early, late);
            assert_eq!(but_when(&early), but_when(&late));
            assert!(!but_when(&early).1.is_empty());
            assert!(early.contains("<a href=\"\">Refresh</a>"));
        }
        assert_eq!(but_when("no page"), ("no page", ""));
    }
}
