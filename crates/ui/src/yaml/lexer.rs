//! Where keys, texts, numbers and comments are, line by line; never wrong in a way that loses a character.
//! It colours what a person sees and decides nothing: what a project means is the room `pipeline`'s.

use std::ops::Range;

/// What a piece of a line is. What gets no token stands for itself: plain values, indentation, brackets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    Key,
    Comment,
    Quoted,
    Number,
    /// Anchors, aliases, tags, directives and document marks.
    Tag,
}

/// What the lines before leave open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Nothing,
    /// A quoted text that began with this byte.
    Quote(u8),
    /// A `|` or `>` text: it goes on while lines are indented more than this.
    Block(usize),
}

/// A place between two lines at which reading can begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    pub(super) offset: usize,
    /// Lines before.
    pub(super) line: usize,
    open: Open,
    /// How many brackets are open.
    flow: usize,
}

impl Checkpoint {
    /// The beginning of a text.
    pub fn start() -> Self {
        Self { offset: 0, line: 0, open: Open::Nothing, flow: 0 }
    }
}

/// One line that was read.
pub(super) struct Line {
    /// Counted from 1.
    pub(super) number: usize,
    /// Its bytes, without the end of line.
    pub(super) content: Range<usize>,
    /// Where the next one begins.
    pub(super) next: usize,
}

pub(super) struct Lexer {
    at: Checkpoint,
}

impl Lexer {
    pub(super) fn at(checkpoint: Checkpoint) -> Self {
        Self { at: checkpoint }
    }

    pub(super) fn checkpoint(&self) -> Checkpoint {
        self.at
    }

    /// Reads the next line and says what is in it; nothing at the end of the text.
    pub(super) fn line(&mut self, text: &str, found: &mut impl FnMut(Token, Range<usize>)) -> Option<Line> {
        let start = self.at.offset;
        let rest = text.as_bytes().get(start..).filter(|rest| !rest.is_empty())?;
        let length = rest.iter().position(|&b| b == b'\n');
        let next = start + length.map_or(rest.len(), |l| l + 1);
        let mut end = start + length.unwrap_or(rest.len());
        if length.is_some() && end > start && rest[end - start - 1] == b'\r' {
            end -= 1;
        }
        self.at.offset = next;
        self.at.line += 1;
        let mut reader =
            Reader { line: &text.as_bytes()[start..end], base: start, pos: 0, home: 0, keyed: false, found };
        (self.at.open, self.at.flow) = reader.read(self.at.open, self.at.flow);
        Some(Line { number: self.at.line, content: start..end, next })
    }
}

struct Reader<'a, F> {
    line: &'a [u8],
    /// Where the line is in the text.
    base: usize,
    pos: usize,
    /// The column of the last key or dash: what is under it is indented more.
    home: usize,
    /// Whether the line has a key already: outside brackets there is one, and a second colon is part of the value.
    keyed: bool,
    found: &'a mut F,
}

impl<F: FnMut(Token, Range<usize>)> Reader<'_, F> {
    fn read(&mut self, open: Open, mut flow: usize) -> (Open, usize) {
        let indent = self.line.iter().take_while(|&&b| b == b' ').count();
        match open {
            Open::Block(parent) if indent == self.line.len() || indent > parent => return (open, flow),
            Open::Quote(quote) => {
                if !self.close_quote(0, quote) {
                    self.tell(Token::Quoted, 0, self.line.len());
                    return (open, flow);
                }
                self.tell(Token::Quoted, 0, self.pos);
            }
            Open::Block(_) | Open::Nothing if self.line.starts_with(b"%") && flow == 0 => {
                self.tell(Token::Tag, 0, self.line.len());
                return (Open::Nothing, flow);
            }
            Open::Block(_) | Open::Nothing => {
                if matches!(self.line.get(..3), Some(b"---" | b"..."))
                    && matches!(self.line.get(3), None | Some(b' ' | b'\t'))
                {
                    self.tell(Token::Tag, 0, 3);
                    self.pos = 3;
                    flow = 0;
                }
            }
        }
        while let Some(&byte) = self.line.get(self.pos) {
            let start = self.pos;
            match byte {
                b' ' | b'\t' => self.pos += 1,
                b'#' if start == 0 || matches!(self.line[start - 1], b' ' | b'\t') => {
                    self.tell(Token::Comment, start, self.line.len());
                    break;
                }
                b'-' | b'?' if self.ends_indicator(start + 1, false) => {
                    self.home = start;
                    self.pos += 1;
                }
                b'[' | b'{' => {
                    flow = flow.saturating_add(1);
                    self.pos += 1;
                }
                b']' | b'}' => {
                    flow = flow.saturating_sub(1);
                    self.pos += 1;
                }
                b',' | b':' if self.ends_indicator(start + 1, flow > 0) || byte == b',' && flow > 0 => self.pos += 1,
                b'&' | b'*' | b'!' => {
                    self.pos += self.line[start..]
                        .iter()
                        .take_while(|b| !matches!(b, b' ' | b'\t' | b',' | b']' | b'}'))
                        .count();
                    self.tell(Token::Tag, start, self.pos);
                }
                b'|' | b'>' if flow == 0 && self.block_header(start) => return (Open::Block(self.parent()), flow),
                b'"' | b'\'' => {
                    if !self.close_quote(start + 1, byte) {
                        self.tell(Token::Quoted, start, self.line.len());
                        return (Open::Quote(byte), flow);
                    }
                    let key = (flow > 0 || !self.keyed) && self.is_key(flow > 0);
                    if key {
                        (self.home, self.keyed) = (start, true);
                    }
                    self.tell(if key { Token::Key } else { Token::Quoted }, start, self.pos);
                }
                _ => self.plain(start, flow > 0),
            }
        }
        (Open::Nothing, flow)
    }

    fn tell(&mut self, token: Token, from: usize, to: usize) {
        if from < to {
            (self.found)(token, self.base + from..self.base + to);
        }
    }

    /// A block under the first column of a document has nothing that it must be indented more than.
    fn parent(&self) -> usize {
        self.home
    }

    /// Whether what comes at `at` ends an indicator such as `-` or `:`.
    fn ends_indicator(&self, at: usize, flow: bool) -> bool {
        match self.line.get(at) {
            None | Some(b' ' | b'\t') => true,
            Some(b',' | b'[' | b']' | b'{' | b'}') => flow,
            Some(_) => false,
        }
    }

    /// Moves behind the closing quote, if this line has it.
    fn close_quote(&mut self, from: usize, quote: u8) -> bool {
        let mut at = from;
        while let Some(&byte) = self.line.get(at) {
            match byte {
                b'\\' if quote == b'"' => at += 2,
                b'\'' if quote == b'\'' && self.line.get(at + 1) == Some(&b'\'') => at += 2,
                b if b == quote => {
                    self.pos = at + 1;
                    return true;
                }
                _ => at += 1,
            }
        }
        false
    }

    /// Whether a colon that makes a key follows.
    fn is_key(&self, flow: bool) -> bool {
        let gap = self.line[self.pos..].iter().take_while(|&&b| b == b' ').count();
        let colon = self.pos + gap;
        self.line.get(colon) == Some(&b':') && self.ends_indicator(colon + 1, flow)
    }

    /// `|`, `>`, with their indicators and perhaps a comment, and nothing else.
    fn block_header(&mut self, start: usize) -> bool {
        let rest = &self.line[start + 1..];
        let signs = rest.iter().take_while(|b| matches!(b, b'+' | b'-' | b'0'..=b'9')).count();
        let after = &rest[signs..];
        let blank = after.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        match after.get(blank) {
            None => true,
            Some(b'#') if blank > 0 => {
                self.tell(Token::Comment, start + 1 + signs + blank, self.line.len());
                true
            }
            Some(_) => false,
        }
    }

    /// A plain key or value: up to a comment, a colon that makes a key, or, in brackets, a comma or bracket.
    fn plain(&mut self, start: usize, flow: bool) {
        let mut end = start + 1;
        while let Some(&byte) = self.line.get(end) {
            match byte {
                b'#' if matches!(self.line[end - 1], b' ' | b'\t') => break,
                b':' if (flow || !self.keyed) && self.ends_indicator(end + 1, flow) => break,
                b',' | b'[' | b']' | b'{' | b'}' if flow => break,
                _ => end += 1,
            }
        }
        let blank = self.line[start..end].iter().rev().take_while(|b| matches!(b, b' ' | b'\t')).count();
        let value = &self.line[start..end - blank];
        self.pos = end;
        if self.line.get(end) == Some(&b':') && self.ends_indicator(end + 1, flow) {
            (self.home, self.keyed) = (start, true);
            self.tell(Token::Key, start, end - blank);
        } else if is_number(value) {
            self.tell(Token::Number, start, end - blank);
        }
    }
}

/// Numbers and the words that are no text.
fn is_number(value: &[u8]) -> bool {
    matches!(value, b"true" | b"false" | b"True" | b"False" | b"null" | b"~" | b"yes" | b"no")
        || value.iter().any(u8::is_ascii_digit)
            && value.iter().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each line as its tokens: `k`ey, `c`omment, `q`uoted, `n`umber, `t`ag, each with its text.
    fn tokens(text: &str) -> Vec<String> {
        let mut lexer = Lexer::at(Checkpoint::start());
        let mut found = Vec::new();
        while lexer
            .line(text, &mut |token, place: Range<usize>| {
                let letter = format!("{token:?}").to_lowercase().chars().next().unwrap();
                found.push(format!("{letter} {}", &text[place]));
            })
            .is_some()
        {}
        found
    }

    #[test]
    fn keys_values_and_comments() {
        assert_eq!(
            tokens("version: '3.0' # note\nexpectations:\n  population_size: 1000\n  x: true\n"),
            ["k version", "q '3.0'", "c # note", "k expectations", "k population_size", "n 1000", "k x", "n true"]
        );
        assert_eq!(tokens("run: r:latest a#b.R  --date \"x: y\""), ["k run"]);
        assert_eq!(tokens("\"quoted key\": [a, 'b', {c: d}] # e"), ["k \"quoted key\"", "q 'b'", "k c", "c # e"]);
        assert_eq!(tokens("- a: 1\n- &x !t b\n--- # d"), ["k a", "n 1", "t &x", "t !t", "t ---", "c # d"]);
    }

    #[test]
    fn texts_over_several_lines() {
        assert_eq!(tokens("run: >\n  a: b # c\n\n   d: e\nneeds: [x]"), ["k run", "k needs"]);
        assert_eq!(tokens("- run: |-2 # why\n    a: b\n  x: y"), ["k run", "c # why", "k x"]);
        assert_eq!(
            tokens("a: \"b: c\n  # no\n  d\\\" e\" # f"),
            ["k a", "q \"b: c", "q   # no", "q   d\\\" e\"", "c # f"]
        );
        assert_eq!(tokens("a: [b,\n  c: d,\n  e]\nf: g"), ["k a", "k c", "k f"]);
    }

    #[test]
    fn broken_texts_end() {
        for text in
            ["\"", "'", "a: |", "[[[[", "]]]]", ":", "- - -", "\t\t:", "# ", "&", "%x", "é: ü", "a:\r\nb:\r", "\"\\"]
        {
            let _found = tokens(text);
        }
    }
}
