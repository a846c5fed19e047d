//! A table and a section of a page, for the many plain ones of the staff area.
//! Spec site.md 15: tables with captions and scoped headers.

use askama::Template;
use ui::html::Html;

/// A table; the first cell of each row is its heading.
#[derive(Debug, Template)]
#[template(path = "table.html")]
pub(crate) struct Table {
    caption: String,
    heads: &'static [&'static str],
    rows: Vec<Vec<Html>>,
}

impl Table {
    /// One without rows.
    pub(crate) fn new(caption: impl Into<String>, heads: &'static [&'static str]) -> Self {
        Self { caption: caption.into(), heads, rows: Vec::new() }
    }

    /// Adds a row with a cell for each head.
    pub(crate) fn push(&mut self, row: Vec<Html>) {
        self.rows.push(row);
    }

    /// The table, or these words if there is nothing in it.
    pub(crate) fn shown(&self, or: &str) -> Html {
        if self.rows.is_empty() { ui::list::empty(or) } else { Html::of(self) }
    }
}

#[derive(Template)]
#[template(source = "<section><h2>{{ heading }}</h2>{{ body.raw() }}</section>", ext = "html")]
struct Section<'a> {
    heading: &'a str,
    body: &'a Html,
}

/// A part of a page under its heading.
pub(crate) fn section(heading: &str, body: &Html) -> Html {
    Html::of(&Section { heading, body })
}

#[derive(Template)]
#[template(source = "<a href=\"{{ href }}\">{{ text }}</a>", ext = "html")]
struct Anchor<'a> {
    href: &'a str,
    text: &'a str,
}

/// A link.
pub(crate) fn link(text: &str, href: &str) -> Html {
    Html::of(&Anchor { href, text })
}

/// Pieces one after another.
pub(crate) fn pieces(all: impl IntoIterator<Item = Html>) -> Html {
    let mut whole = Html::default();
    for piece in all {
        whole.push(&piece);
    }
    whole
}

#[derive(Template)]
#[template(source = "<p>{{ text }}</p>", ext = "html")]
struct Paragraph<'a> {
    text: &'a str,
}

/// A paragraph.
pub(crate) fn paragraph(text: &str) -> Html {
    Html::of(&Paragraph { text })
}
