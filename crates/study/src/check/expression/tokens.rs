//! Cuts an expression into tokens; what expressions do not have is refused with what to write instead.
//! Spec study-definitions.md 8 and 14.

use std::ops::Range;

use super::Problem;
use crate::model::dates::iso_day;

/// Bytes of an expression.
const LONGEST: usize = 64 * 1024;
/// Characters of a text in quotes.
const LONGEST_TEXT: usize = 64;

/// A token with its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token<'e> {
    pub(super) kind: TokenKind<'e>,
    pub(super) range: Range<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum TokenKind<'e> {
    Name(&'e str),
    Int(i64),
    Float(f64),
    Text(&'e str),
    And,
    Or,
    Not,
    Open,
    Close,
    Plus,
    Minus,
    Star,
    Slash,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// The tokens of an expression, up to the first place where there is none, and what is wrong there.
pub(super) fn tokens(text: &str) -> (Vec<Token<'_>>, Option<Problem>) {
    let mut found = Vec::new();
    if text.len() > LONGEST {
        let problem = Problem::new("SD502", 0..0, "the expression is longer than 64 KiB");
        return (found, Some(problem.fix("split it into several columns with `satisfying`")));
    }
    let mut cutter = Cutter { text, at: 0 };
    loop {
        match cutter.next() {
            Ok(Some(token)) => found.push(token),
            Ok(None) => return (found, None),
            Err(problem) => return (found, Some(problem)),
        }
    }
}

struct Cutter<'e> {
    text: &'e str,
    at: usize,
}

impl<'e> Cutter<'e> {
    fn rest(&self) -> &'e str {
        &self.text[self.at..]
    }

    fn next(&mut self) -> Result<Option<Token<'e>>, Problem> {
        self.blanks()?;
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(None) };
        let start = self.at;
        let (kind, length) = match first {
            'A'..='Z' | 'a'..='z' | '_' => self.word(),
            '0'..='9' => self.number()?,
            '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => self.number()?,
            '\'' | '"' => self.quoted(first)?,
            _ => self.sign(first)?,
        };
        self.at += length;
        Ok(Some(Token { kind, range: start..self.at }))
    }

    /// Blanks and comments: those of SQL, and `# ` as in Python, which existing studies have too.
    fn blanks(&mut self) -> Result<(), Problem> {
        loop {
            let rest = self.rest();
            let blank = rest.len() - rest.trim_start().len();
            if blank > 0 {
                self.at += blank;
            } else if rest.starts_with("--") || rest.starts_with("# ") {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if let Some(comment) = rest.strip_prefix("/*") {
                let end = comment.find("*/").ok_or_else(|| {
                    Problem::new("SD503", self.at..self.at + 2, "the comment that begins here has no end")
                        .fix("end it with `*/`")
                })?;
                self.at += end + 4;
            } else {
                return Ok(());
            }
        }
    }

    fn word(&self) -> (TokenKind<'e>, usize) {
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let kind = match &rest[..end] {
            "AND" => TokenKind::And,
            "OR" => TokenKind::Or,
            "NOT" => TokenKind::Not,
            name => TokenKind::Name(name),
        };
        (kind, end)
    }

    fn number(&self) -> Result<(TokenKind<'e>, usize), Problem> {
        let rest = self.rest();
        if rest.get(..10).is_some_and(|text| iso_day(text).is_some()) {
            return Err(date_literal(self.at..self.at + 10));
        }
        let whole = rest.bytes().take_while(u8::is_ascii_digit).count();
        let mut end = whole;
        if rest[end..].starts_with('.') {
            end += 1 + rest[end + 1..].bytes().take_while(u8::is_ascii_digit).count();
        }
        let text = &rest[..end];
        let range = self.at..self.at + end;
        if end == whole {
            let number = text.parse();
            let number = number.map_err(|_| Problem::new("SD502", range, "this number is too large"))?;
            return Ok((TokenKind::Int(number), end));
        }
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok((TokenKind::Float(number), end)),
            _ => Err(Problem::new("SD502", range, "this number is too large")),
        }
    }

    fn quoted(&self, quote: char) -> Result<(TokenKind<'e>, usize), Problem> {
        let rest = self.rest();
        let Some(length) = rest[1..].find(quote) else {
            return Err(Problem::new("SD503", self.at..self.at + 1, "the text that begins here has no end")
                .fix(format!("end it with {quote}")));
        };
        let text = &rest[1..=length];
        let range = self.at..self.at + length + 2;
        if iso_day(text).is_some() {
            return Err(date_literal(range));
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_ <>=~".contains(c);
        if let Some((at, stray)) = text.char_indices().find(|(_, c)| !allowed(*c)) {
            let start = self.at + 1 + at;
            let message = format!("a text in an expression cannot hold `{}`", stray.escape_debug());
            return Err(Problem::new("SD502", start..start + stray.len_utf8(), message)
                .fix("letters A-Z and a-z, digits, `_`, blanks and `<>=~` are possible; compare with a column instead, such as one of `fixed_value`"));
        }
        if text.len() > LONGEST_TEXT {
            return Err(Problem::new("SD502", range, "a text in an expression has at most 64 characters"));
        }
        Ok((TokenKind::Text(text), length + 2))
    }

    fn sign(&self, first: char) -> Result<(TokenKind<'e>, usize), Problem> {
        let rest = self.rest();
        let refuse = |length: usize, message: &str, fix: &str| {
            Err(Problem::new("SD502", self.at..self.at + length, message).fix(fix))
        };
        let two = rest.get(..2).unwrap_or_default();
        match two {
            "==" => return refuse(2, "`==` is Python's", "write `=`"),
            "<>" => return refuse(2, "`<>` is not used here", "write `!=`"),
            "&&" => return refuse(2, "`&&` is not used here", "write `AND`"),
            "||" => return refuse(2, "`||` is not used here", "write `OR`"),
            "=<" | "=>" => return refuse(2, "this sign is written the other way round", "write `<=` or `>=`"),
            "<=" => return Ok((TokenKind::Le, 2)),
            ">=" => return Ok((TokenKind::Ge, 2)),
            "!=" => return Ok((TokenKind::Ne, 2)),
            _ => {}
        }
        let kind = match first {
            '(' => TokenKind::Open,
            ')' => TokenKind::Close,
            '+' => TokenKind::Plus,
            '-' => TokenKind::Minus,
            '*' => TokenKind::Star,
            '/' => TokenKind::Slash,
            '=' => TokenKind::Eq,
            '<' => TokenKind::Lt,
            '>' => TokenKind::Gt,
            '%' => return refuse(1, "`%` is not used here", "`a - a / n * n` gives what is left of whole numbers"),
            ';' => return refuse(1, "`;` is not used here", "leave it out"),
            '&' => return refuse(1, "`&` is not used here", "write `AND`"),
            '|' => return refuse(1, "`|` is not used here", "write `OR`"),
            '!' => return refuse(1, "`!` is not used here", "write `NOT`, or `!=` for unequal"),
            '‘' | '’' | '“' | '”' => {
                return refuse(first.len_utf8(), "this quotation mark is not a straight one", "write `'` or `\"`");
            }
            _ => {
                let message = format!("`{}` is not used in expressions", first.escape_debug());
                let range = self.at..self.at + first.len_utf8();
                return Err(Problem::new("SD502", range, message).fix(
                    "names, numbers, texts in quotes, parentheses, AND OR NOT, comparisons and + - * / are possible",
                ));
            }
        };
        Ok((kind, 1))
    }
}

fn date_literal(range: Range<usize>) -> Problem {
    Problem::new("SD502", range, "a date cannot be written in an expression").fix(
        "define a column `day=patients.fixed_value(\"YYYY-MM-DD\")` and compare with it, or use the date as a bound of a period",
    )
}
