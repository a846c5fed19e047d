//! One page for each fault code: what it means, why the rule exists, a failing and a corrected example.
//! The pages are data, `explain/<CODE>.md` in this crate; spec project-yaml.md 11.

mod pages;
mod print;

pub use print::print;

use crate::{Rule, rules};

/// The page of one code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// `P404`.
    pub code: &'static str,
    /// What is wrong, in a few words.
    pub title: &'static str,
    /// How severe it is at each version and since when, where `load` or `resolve` report it.
    pub rule: Option<&'static Rule>,
    /// Prose and examples in written order.
    pub blocks: Vec<Block>,
}

/// A piece of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// A paragraph, on one line.
    Prose(String),
    /// An example, line by line as written.
    Example {
        /// What it shows and how the tests run it.
        kind: ExampleKind,
        /// Its text, with a final line end.
        text: String,
    },
}

/// What an example shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExampleKind {
    /// `load` reports the code.
    Fail,
    /// `load` does not report the code, and nothing as an error.
    Good,
    /// `resolve` reports the code, in a checkout and with a registry that the page speaks of.
    ResolveFail,
    /// Neither `load` nor `resolve` reports the code.
    ResolveGood,
    /// Cannot be shown as a small project.yaml; the prose says why.
    Text,
}

/// The page of a code; upper and lower case are one.
pub fn page(code: &str) -> Option<Page> {
    let upper = code.trim().to_ascii_uppercase();
    pages::PAGES.iter().find(|(known, _)| *known == upper).map(|(code, text)| parse(code, text))
}

/// Every code that has a page, in order.
pub fn codes() -> impl Iterator<Item = &'static str> {
    pages::PAGES.iter().map(|(code, _)| *code)
}

/// Reads the little format: a title line `# CODE: title`, paragraphs, fenced examples.
fn parse(code: &'static str, text: &'static str) -> Page {
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    let title = first.split_once(": ").map_or(first, |(_, title)| title);
    let mut blocks = Vec::new();
    let mut prose = String::new();
    while let Some(line) = lines.next() {
        if let Some(info) = line.strip_prefix("```") {
            flush(&mut blocks, &mut prose);
            let text = lines.by_ref().take_while(|l| *l != "```").map(|l| format!("{l}\n")).collect();
            blocks.push(Block::Example { kind: kind(info), text });
        } else if line.trim().is_empty() {
            flush(&mut blocks, &mut prose);
        } else {
            if !prose.is_empty() {
                prose.push(' ');
            }
            prose.push_str(line.trim());
        }
    }
    flush(&mut blocks, &mut prose);
    let rule = rules().iter().find(|rule| rule.code.0 == code);
    Page { code, title, rule, blocks }
}

fn flush(blocks: &mut Vec<Block>, prose: &mut String) {
    if !prose.is_empty() {
        blocks.push(Block::Prose(std::mem::take(prose)));
    }
}

/// The words behind the fence. A word that is not known makes the example text; the tests see to it that none is.
fn kind(info: &str) -> ExampleKind {
    match info.trim() {
        "yaml fail" => ExampleKind::Fail,
        "yaml ok" => ExampleKind::Good,
        "yaml resolve fail" => ExampleKind::ResolveFail,
        "yaml resolve ok" => ExampleKind::ResolveGood,
        _ => ExampleKind::Text,
    }
}
