//! Splits Python and R into words, literal texts and marks, so that comments and strings are not taken for code.
//! Only what is needed to find what a file loads: numbers and operators come as they fall.

/// A piece of code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A name or keyword; in R dots belong to names.
    Word(String),
    /// A text without anything computed in it.
    Text(String),
    /// Any other character.
    Mark(char),
    /// The end of a statement's line (Python only; not within brackets or after a backslash).
    Line,
}

struct Lexer<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    tokens: Vec<Token>,
    depth: usize,
}

/// The tokens of Python code.
pub(super) fn python(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { rest: text.chars().peekable(), tokens: Vec::new(), depth: 0 };
    while let Some(c) = lexer.rest.next() {
        match c {
            '#' => lexer.skip_line(),
            '\'' | '"' => lexer.python_text(c, ""),
            '\\' => {
                if lexer.rest.peek() == Some(&'\r') {
                    lexer.rest.next();
                }
                lexer.rest.next();
            }
            '\n' if lexer.depth == 0 => lexer.tokens.push(Token::Line),
            _ if is_word(c) => {
                let word = lexer.word(c, is_word);
                match lexer.rest.peek() {
                    Some(&quote @ ('\'' | '"')) if is_prefix(&word) => {
                        lexer.rest.next();
                        lexer.python_text(quote, &word);
                    }
                    _ => lexer.tokens.push(Token::Word(word)),
                }
            }
            _ => lexer.mark(c),
        }
    }
    lexer.tokens
}

/// The tokens of R code.
pub(super) fn r(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { rest: text.chars().peekable(), tokens: Vec::new(), depth: 0 };
    let in_name = |c| is_word(c) || c == '.';
    while let Some(c) = lexer.rest.next() {
        match c {
            '#' => lexer.skip_line(),
            '\'' | '"' => {
                let text = lexer.quoted(c, true);
                lexer.tokens.push(Token::Text(text));
            }
            '`' => {
                let name = lexer.quoted(c, false);
                lexer.tokens.push(Token::Word(name));
            }
            _ if in_name(c) => {
                let word = lexer.word(c, in_name);
                match lexer.rest.peek() {
                    Some(&quote @ ('\'' | '"')) if word == "r" || word == "R" => {
                        lexer.rest.next();
                        lexer.raw_text(quote);
                    }
                    _ => lexer.tokens.push(Token::Word(word)),
                }
            }
            _ => lexer.mark(c),
        }
    }
    lexer.tokens
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn is_prefix(word: &str) -> bool {
    word.len() <= 2 && word.chars().all(|c| "rRbBuUfFtT".contains(c))
}

impl Lexer<'_> {
    fn skip_line(&mut self) {
        while self.rest.next_if(|c| *c != '\n').is_some() {}
    }

    fn word(&mut self, first: char, more: impl Fn(char) -> bool) -> String {
        let mut word = String::from(first);
        while let Some(c) = self.rest.next_if(|c| more(*c)) {
            word.push(c);
        }
        word
    }

    fn mark(&mut self, c: char) {
        match c {
            '(' | '[' | '{' => self.depth += 1,
            ')' | ']' | '}' => self.depth = self.depth.saturating_sub(1),
            _ if c.is_whitespace() => return,
            _ => {}
        }
        self.tokens.push(Token::Mark(c));
    }

    /// Up to the quote; a backslash keeps the character after it from ending the text.
    fn quoted(&mut self, quote: char, escapes: bool) -> String {
        let mut text = String::new();
        while let Some(c) = self.rest.next() {
            match c {
                _ if c == quote => break,
                '\\' if escapes => text.extend(self.rest.next().map(|c| if c == 'n' { '\n' } else { c })),
                _ => text.push(c),
            }
        }
        text
    }

    fn python_text(&mut self, quote: char, prefix: &str) {
        let raw = prefix.contains(['r', 'R']);
        let computed = prefix.contains(['f', 'F', 't', 'T']);
        let mut triple = false;
        if self.rest.next_if_eq(&quote).is_some() {
            triple = self.rest.next_if_eq(&quote).is_some();
            if !triple {
                self.tokens.push(Token::Text(String::new()));
                return;
            }
        }
        let mut text = String::new();
        let mut quotes = 0;
        while let Some(c) = self.rest.next() {
            quotes = if c == quote { quotes + 1 } else { 0 };
            if quotes == if triple { 3 } else { 1 } {
                text.truncate(text.len() - (quotes - 1));
                break;
            }
            match c {
                '\\' => {
                    if raw {
                        text.push(c);
                    }
                    text.extend(self.rest.next());
                }
                // An unfinished text: the line ends it, so that one slip does not hide the rest of the file.
                '\n' if !triple => {
                    self.tokens.push(Token::Line);
                    return;
                }
                _ => text.push(c),
            }
        }
        if !(computed && text.contains('{')) {
            self.tokens.push(Token::Text(text));
        }
    }

    /// `r"---(text)---"`, the quote already taken.
    fn raw_text(&mut self, quote: char) {
        let mut dashes = 0;
        while self.rest.next_if_eq(&'-').is_some() {
            dashes += 1;
        }
        let close = match self.rest.next() {
            Some('(') => ')',
            Some('[') => ']',
            Some('{') => '}',
            _ => return,
        };
        let end = format!("{close}{}{quote}", "-".repeat(dashes));
        let mut text = String::new();
        for c in self.rest.by_ref() {
            text.push(c);
            if c == quote && text.ends_with(&end) {
                text.truncate(text.len() - end.len());
                break;
            }
        }
        self.tokens.push(Token::Text(text));
    }
}
