//! The text as the parser wants to be given it: characters by their bytes, most of which are ASCII.
//! Does what the parser's own input for texts does, and is quicker in the loops over plain scalars.

use saphyr_parser::Input;

/// A text and how far it is read.
#[derive(Debug, Clone)]
pub(crate) struct Text<'a> {
    text: &'a str,
    at: usize,
    /// The character at `at`; `\0` at the end.
    now: char,
}

impl<'a> Text<'a> {
    /// From the begin of the text.
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0, now: text.chars().next().unwrap_or('\0') }
    }

    /// The character that begins at this offset, `\0` at the end and beyond.
    #[inline]
    fn char(&self, at: usize) -> char {
        match self.text.as_bytes().get(at) {
            Some(&byte @ 0..=0x7F) => char::from(byte),
            Some(_) => self.wide(at),
            None => '\0',
        }
    }

    #[cold]
    fn wide(&self, at: usize) -> char {
        self.text.get(at..).and_then(|rest| rest.chars().next()).unwrap_or('\0')
    }
}

fn is_flow(c: char) -> bool {
    matches!(c, ',' | '[' | ']' | '{' | '}')
}

fn ends_line(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\0')
}

impl Input for Text<'_> {
    #[inline]
    fn lookahead(&mut self, _: usize) {}

    /// The whole text is at hand, and after it as many `\0` as are asked for.
    #[inline]
    fn buflen(&self) -> usize {
        usize::MAX
    }

    /// The parser reserves this much for each plain scalar beyond its first character; its buffer has 32 bytes before.
    #[inline]
    fn bufmaxlen(&self) -> usize {
        31
    }

    #[inline]
    fn raw_read_ch(&mut self) -> char {
        let c = self.peek();
        self.skip();
        c
    }

    #[inline]
    fn raw_read_non_breakz_ch(&mut self) -> Option<char> {
        let c = self.now;
        (!ends_line(c) && c != '\u{FEFF}').then(|| {
            self.skip();
            c
        })
    }

    #[inline]
    fn skip(&mut self) {
        self.at = (self.at + self.now.len_utf8()).min(self.text.len());
        self.now = self.char(self.at);
    }

    #[inline]
    fn skip_n(&mut self, count: usize) {
        for _ in 0..count {
            self.skip();
        }
    }

    #[inline]
    fn peek(&self) -> char {
        self.now
    }

    #[inline]
    fn peek_nth(&self, n: usize) -> char {
        let mut at = self.at;
        for _ in 0..n {
            at += self.char(at).len_utf8();
        }
        self.char(at)
    }

    #[inline]
    fn peek_opt(&self) -> Option<char> {
        (self.at < self.text.len()).then_some(self.now)
    }

    #[inline]
    fn next_is_blank_or_breakz(&self) -> bool {
        matches!(self.now, ' ' | '\t' | '\n' | '\r' | '\0')
    }

    #[inline]
    fn next_is_blank_or_break(&self) -> bool {
        matches!(self.now, ' ' | '\t' | '\n' | '\r')
    }

    /// Looks at the second character only where it matters, which is after a colon.
    #[allow(clippy::inline_always, reason = "called for each character, from one place")]
    #[inline(always)]
    fn next_can_be_plain_scalar(&self, in_flow: bool) -> bool {
        match self.now {
            ':' => {
                let next = self.peek_nth(1);
                !(ends_line(next) || matches!(next, ' ' | '\t') || (in_flow && is_flow(next)))
            }
            '\u{FEFF}' => false,
            c => !(in_flow && is_flow(c)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use saphyr_parser::{Parser, StrInput};

    /// All events with their places, the error at the end included.
    fn events<T: Input>(mut parser: Parser<'_, T>) -> Vec<String> {
        let mut list = Vec::new();
        while let Some(step) = parser.next_event() {
            list.push(format!("{step:?}"));
            if step.is_err() {
                break;
            }
        }
        list
    }

    fn same(text: &str) {
        assert_eq!(events(Parser::new(Text::new(text))), events(Parser::new(StrInput::new(text))), "{text:?}");
    }

    #[test]
    fn reads_as_the_input_of_the_parser() {
        let long = "x".repeat(300);
        for text in [
            "a: b\r\nc: [d, 'e é', \"f\\u00e9\"]\r\n",
            "run: >\n  é: 1\n   two\n\n  three # x\nnext: |2-\n   é\n",
            "- &a !!str x\n- *a\n- !t y\n- ? z\n  : \u{1F600}:\u{1F600}\n",
            "---\na: b:c\n...\n---\nx\n",
            "a: b # c\n  d\n",
            "{a: b, c:d, [e]: f}",
            "é:\té\n\tx: y",
            "a: \u{FEFF}b",
            "a: b\u{FEFF}",
            &format!("{long}: {long}\n{}: a\n", " ".repeat(40)),
            &format!("a:\n{}- |\n{}{long}\n", " ".repeat(40), " ".repeat(50)),
        ] {
            same(text);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]
        #[test]
        fn reads_any_text_as_the_input_of_the_parser(text in "([a-cé😀]|[ \t\n\r:,]|[-?#&*!|>'\"\\[\\]{}]|  |\n  |: |\n- ){0,60}") {
            same(&text);
        }
    }
}
