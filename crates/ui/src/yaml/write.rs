//! Lines of a text as HTML: an anchor before each, elements only where the colour changes, marks around them.
//! Marks may lie across tokens and each other; elements always nest, and end with their line.

use std::fmt::Write;
use std::ops::Range;

use super::lexer::{Checkpoint, Lexer, Token};
use super::{LONGEST_LINE, Mark, Meaning};
use crate::html::{Html, push_content, push_text};

/// Writes up to `count` lines from a checkpoint on.
pub(super) fn lines(text: &str, from: Checkpoint, count: usize, marks: &[Mark]) -> Html {
    let mut order: Vec<(usize, Range<usize>)> = marks
        .iter()
        .map(|mark| floor(text, mark.place.start)..floor(text, mark.place.end))
        .enumerate()
        .filter(|(_, place)| place.start < place.end)
        .collect();
    // Outer marks first.
    order.sort_by_key(|(_, place)| (place.start, std::cmp::Reverse(place.end)));
    let mut writer = Writer {
        text,
        marks,
        order,
        first: 0,
        html: String::from("<pre class=yaml tabindex=0 role=region aria-label=project.yaml><code>"),
        told: vec![false; marks.len()],
    };
    let mut lexer = Lexer::at(from);
    let mut tokens = Vec::new();
    for _ in 0..count {
        tokens.clear();
        let Some(line) = lexer.line(text, &mut |token, place| tokens.push((token, place))) else { break };
        writer.line(line.number, line.content.clone(), &tokens);
        writer.html.push_str(&text[line.content.end..line.next]);
    }
    writer.html.push_str("</code></pre>");
    Html::trusted(writer.html)
}

/// Writes all lines without tokens.
pub(super) fn plain(text: &str) -> Html {
    let mut writer = Writer {
        text,
        marks: &[],
        order: vec![],
        first: 0,
        html: String::from("<pre class=yaml tabindex=0 role=region aria-label=File><code>"),
        told: vec![],
    };
    let mut at = 0;
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let content = line.trim_end_matches(['\n', '\r']).len();
        writer.line(number, at..at + content, &[]);
        writer.html.push_str(&line[content..]);
        at += line.len();
    }
    writer.html.push_str("</code></pre>");
    Html::trusted(writer.html)
}

/// The nearest place at or before this one that is between two characters.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

struct Writer<'a> {
    text: &'a str,
    marks: &'a [Mark],
    /// Marks by their place, outer ones first.
    order: Vec<(usize, Range<usize>)>,
    /// All marks before this one have ended.
    first: usize,
    html: String,
    /// Whose id is in the page already.
    told: Vec<bool>,
}

impl Writer<'_> {
    fn line(&mut self, number: usize, line: Range<usize>, tokens: &[(Token, Range<usize>)]) {
        if self.text.as_bytes()[line.clone()].iter().all(|b| matches!(b, b' ' | b'\t')) {
            // Nobody points at an empty line, and a page has many.
            self.html.push_str(&self.text[line]);
            return;
        }
        // Writing into a `String` never fails.
        let _ok = write!(self.html, "<a id=L{number}></a>");
        let end = floor(self.text, line.end.min(line.start + LONGEST_LINE));
        let shown = line.start..end;
        while self.order.get(self.first).is_some_and(|(_, place)| place.end <= shown.start) {
            self.first += 1;
        }
        let here: Vec<(usize, Range<usize>)> = self.order[self.first..]
            .iter()
            .take_while(|(_, place)| place.start < shown.end)
            .filter(|(_, place)| place.end > shown.start)
            .cloned()
            .collect();
        let mut token = 0;
        if here.is_empty() {
            self.tokens(shown.clone(), tokens, &mut token);
        } else {
            self.marked(shown.clone(), tokens, &here);
        }
        if end < line.end {
            let _ok = write!(self.html, "<span class=u>⟨… {} more bytes⟩</span>", line.end - end);
        }
    }

    /// A stretch without marks, or within the same ones.
    fn tokens(&mut self, place: Range<usize>, tokens: &[(Token, Range<usize>)], next: &mut usize) {
        let mut at = place.start;
        while at < place.end {
            while tokens.get(*next).is_some_and(|(_, t)| t.end <= at) {
                *next += 1;
            }
            match tokens.get(*next).filter(|(_, t)| t.start < place.end) {
                Some((token, t)) if t.start <= at => {
                    let end = t.end.min(place.end);
                    let (open, close) = elements(*token);
                    self.html.push_str(open);
                    push_content(&mut self.html, &self.text[at..end]);
                    self.html.push_str(close);
                    at = end;
                }
                other => {
                    let end = other.map_or(place.end, |(_, t)| t.start);
                    push_content(&mut self.html, &self.text[at..end]);
                    at = end;
                }
            }
        }
    }

    fn marked(&mut self, line: Range<usize>, tokens: &[(Token, Range<usize>)], here: &[(usize, Range<usize>)]) {
        let mut edges = vec![line.start, line.end];
        for (_, place) in here {
            edges.extend([place.start, place.end].into_iter().filter(|e| line.contains(e)));
        }
        edges.sort_unstable();
        edges.dedup();
        let mut open: Vec<(usize, &'static str)> = Vec::new();
        for pair in edges.windows(2) {
            let wanted: Vec<usize> =
                here.iter().filter(|(_, p)| p.start <= pair[0] && p.end >= pair[1]).map(|(mark, _)| *mark).collect();
            let same = open.iter().zip(&wanted).take_while(|((a, _), b)| a == *b).count();
            for (_, close) in open.drain(same..).rev() {
                self.html.push_str(close);
            }
            for &mark in &wanted[same..] {
                let inside_link = open.iter().any(|(_, close)| *close == "</a>");
                let close = self.open(mark, inside_link);
                open.push((mark, close));
            }
            // A level's key has a colour of its own.
            let level = wanted.iter().any(|&mark| matches!(self.marks[mark].meaning, Meaning::Level(_)));
            let tokens = if level { &[][..] } else { tokens };
            self.tokens(pair[0]..pair[1], tokens, &mut 0);
        }
        for (_, close) in open.into_iter().rev() {
            self.html.push_str(close);
        }
    }

    /// Opens the element of a mark; gives what closes it. A link within a link has no element.
    fn open(&mut self, mark: usize, inside_link: bool) -> &'static str {
        let told = std::mem::replace(&mut self.told[mark], true);
        match &self.marks[mark].meaning {
            Meaning::Level(level) => {
                let _ok = write!(self.html, "<u class={}>", level.class());
                "</u>"
            }
            Meaning::Fault(words) => {
                self.attribute("<u class=x title=\"", words, "\">");
                "</u>"
            }
            Meaning::Action { .. } | Meaning::Script { .. } if inside_link => "",
            Meaning::Action { id, href } => {
                self.html.push_str("<a");
                if !told {
                    self.plain(" id=", id);
                }
                if let Some(href) = href {
                    self.plain(" href=", href);
                }
                self.html.push('>');
                "</a>"
            }
            Meaning::Script { href } => {
                self.attribute("<a href=\"", href, "\">");
                "</a>"
            }
        }
    }

    /// An attribute, without quotes if its value needs none.
    fn plain(&mut self, name: &str, value: &str) {
        let bare = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'#');
        if !value.is_empty() && value.bytes().all(bare) {
            self.html.push_str(name);
            self.html.push_str(value);
        } else {
            self.attribute(&format!("{name}\""), value, "\"");
        }
    }

    fn attribute(&mut self, before: &str, value: &str, after: &str) {
        self.html.push_str(before);
        push_text(&mut self.html, value);
        self.html.push_str(after);
    }
}

/// Short elements: a page has a hundred of them.
fn elements(token: Token) -> (&'static str, &'static str) {
    match token {
        Token::Key => ("<b>", "</b>"),
        Token::Comment => ("<i>", "</i>"),
        Token::Quoted => ("<span class=s>", "</span>"),
        Token::Number => ("<span class=n>", "</span>"),
        Token::Tag => ("<span class=t>", "</span>"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Pages, anchor, whole};
    use super::*;
    use crate::icon::Level;

    /// What a reader would copy: elements taken out, references put back.
    fn stripped(html: &str) -> String {
        let mut text = String::new();
        let mut rest = html;
        while let Some(at) = rest.find('<') {
            text.push_str(&rest[..at]);
            rest = &rest[at + rest[at..].find('>').unwrap() + 1..];
        }
        text.push_str(rest);
        text.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&amp;", "&")
    }

    fn well_nested(html: &str) {
        let mut open = Vec::new();
        for tag in html.split('<').skip(1).map(|t| t.split('>').next().unwrap()) {
            let name = tag.split(' ').next().unwrap();
            match name.strip_prefix('/') {
                Some(name) => assert_eq!(open.pop(), Some(name), "{html}"),
                None => {
                    assert!(name != "a" || !open.contains(&"a"), "a link within a link: {html}");
                    open.push(name);
                }
            }
        }
        assert!(open.is_empty());
    }

    fn mark(place: Range<usize>, meaning: Meaning) -> Mark {
        Mark { place, meaning }
    }

    #[test]
    fn marks_lie_around_tokens() {
        let text = "a:\n  x: out/*.csv\n";
        let html = whole(
            text,
            &[
                mark(0..1, Meaning::Action { id: anchor("a"), href: Some("#j-1".into()) }),
                mark(8..17, Meaning::Level(Level::High)),
                mark(6..9, Meaning::Fault("\"odd\"".into())),
            ],
        );
        assert_eq!(
            html.as_str(),
            "<pre class=yaml tabindex=0 role=region aria-label=project.yaml><code>\
             <a id=L1></a><a id=a-a href=#j-1><b>a</b></a>:\n\
             <a id=L2></a>  <b>x</b><u class=x title=\"&quot;odd&quot;\">: <u class=h>o</u></u><u class=h>ut/*.csv</u>\n\
             </code></pre>"
        );
        assert_eq!(anchor("é b"), "a-.e9..20.b");
    }

    #[test]
    fn other_texts_have_lines_and_no_colours() {
        let html = super::plain("import os  # a: b\r\n\nprint('<')\n");
        assert_eq!(
            html.as_str(),
            "<pre class=yaml tabindex=0 role=region aria-label=File><code><a id=L1></a>import os  # a: b\r\n\n\
             <a id=L3></a>print('&lt;')\n</code></pre>"
        );
    }

    #[test]
    fn long_lines_are_cut_and_say_so() {
        let text = format!("a: {}\nb: c", "é".repeat(LONGEST_LINE));
        let html = whole(&text, &[]).into_string();
        // 3 bytes and 9,998 letters of two bytes fit; the line has 3 + 40,000 bytes.
        assert!(html.contains("⟨… 20004 more bytes⟩"), "{}", &html[html.len() - 200..]);
        assert!(html.contains("<a id=L2></a><b>b</b>: c"));
    }

    #[test]
    fn pages_continue_each_other() {
        let text: String =
            (0..12_000).map(|n| if n == 4_990 { "x: |\n".into() } else { format!("  k{n}: v\n") }).collect();
        let pages = Pages::of(&text);
        assert_eq!((pages.count(), pages.lines()), (3, 12_000));
        let all: String = (1..=3).map(|n| stripped(pages.page(&text, n, &[]).unwrap().as_str())).collect();
        assert_eq!(all, text);
        // The block that began on page 1 goes on: no keys.
        assert!(!pages.page(&text, 2, &[]).unwrap().as_str().contains("<b>"));
        assert!(pages.page(&text, 2, &[]).unwrap().as_str().contains("<a id=L5001></a>"));
        assert!(pages.page(&text, 0, &[]).is_none() && pages.page(&text, 4, &[]).is_none());
        assert_eq!(Pages::of("").count(), 1);
    }

    fn meanings() -> impl Strategy<Value = Meaning> {
        prop_oneof![
            Just(Meaning::Level(Level::Medium)),
            Just(Meaning::Script { href: "/x".into() }),
            Just(Meaning::Action { id: "a-x".into(), href: None }),
            Just(Meaning::Fault("why".into())),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn nothing_is_lost_or_added(
            text in "([a-z]{1,3}|[ :#'\"|>\\-\\[\\]{},&*!\\\\?%<\\t]|: |\r?\n|  |é|1){0,60}",
            marks in prop::collection::vec((0usize..80, 0usize..80, meanings()), 0..6),
        ) {
            let marks: Vec<Mark> = marks.into_iter().map(|(a, b, m)| mark(a..b, m)).collect();
            let html = whole(&text, &marks).into_string();
            well_nested(&html);
            // A lone carriage return is shown as a sign.
            let shown = stripped(&html).replace('␍', "\r");
            prop_assert_eq!(shown, text);
        }

        #[test]
        fn any_text_at_all_is_shown_safely(text in any::<String>()) {
            let html = whole(&text, &[]).into_string();
            well_nested(&html);
            prop_assert_eq!(html.matches("<a id=").count(), text.split('\n').map(|l| l.strip_suffix('\r').unwrap_or(l)).filter(|l| l.chars().any(|c| c != ' ' && c != '\t')).count());
        }
    }
}
