//! What Python code loads by a literal name.
//! Spec jobs.md 17.

use super::lex::{Token, python};
use super::{Reference, Start};

/// Calls whose first argument is a module.
const LOADS_MODULE: [&str; 2] = ["import_module", "__import__"];
/// Calls whose first argument is a file, from where the command runs: other scripts, and the codelists of a study.
const LOADS_FILE: [&str; 2] = ["run_path", "codelist_from_csv"];

/// Every import, wherever it stands, and every call that loads by a literal name.
pub(super) fn references(text: &str) -> Vec<Reference> {
    let tokens = python(text);
    let mut references = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        let mut cursor = Cursor { tokens: &tokens, at: i + 1 };
        match &tokens[i] {
            Token::Word(word) if word == "from" => {
                if let Some(reference) = cursor.taken_from() {
                    references.push(reference);
                    i = cursor.at;
                    continue;
                }
            }
            Token::Word(word) if word == "import" => {
                cursor.imports(&mut references);
                i = cursor.at;
                continue;
            }
            Token::Word(word) => {
                if let [Token::Mark('('), Token::Text(text), ..] = &tokens[i + 1..] {
                    if LOADS_MODULE.contains(&word.as_str()) && !text.starts_with('.') {
                        references.push(Reference::Module { name: text.clone(), dots: 0, names: Vec::new() });
                    } else if LOADS_FILE.contains(&word.as_str()) {
                        references.push(Reference::File { path: text.clone(), from: Start::RootThenBeside });
                    }
                }
            }
            _ => {}
        }
        i += 1;
    }
    references
}

struct Cursor<'a> {
    tokens: &'a [Token],
    at: usize,
}

impl Cursor<'_> {
    fn mark(&mut self, mark: char) -> bool {
        let is = self.tokens.get(self.at) == Some(&Token::Mark(mark));
        self.at += usize::from(is);
        is
    }

    fn word(&mut self) -> Option<String> {
        let Some(Token::Word(word)) = self.tokens.get(self.at) else { return None };
        self.at += 1;
        Some(word.clone())
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        let is = matches!(self.tokens.get(self.at), Some(Token::Word(word)) if word == keyword);
        self.at += usize::from(is);
        is
    }

    fn dotted(&mut self) -> Option<String> {
        let mut name = self.word()?;
        // No real name is deeper; without a bound, text made to be slow would be.
        for _ in 0..64 {
            if !self.mark('.') {
                return Some(name);
            }
            name.push('.');
            name.push_str(&self.word()?);
        }
        None
    }

    /// After `import`: `a.b as c, d`.
    fn imports(&mut self, references: &mut Vec<Reference>) {
        loop {
            let Some(name) = self.dotted() else { return };
            references.push(Reference::Module { name, dots: 0, names: Vec::new() });
            if self.keyword("as") && self.word().is_none() || !self.mark(',') {
                return;
            }
        }
    }

    /// After `from`: `..a.b import (c as d, e)`. `None` for the `from` of `raise` and `yield`.
    fn taken_from(&mut self) -> Option<Reference> {
        let mut dots = 0;
        while self.mark('.') {
            dots += 1;
        }
        let is_name = |token: &Token| matches!(token, Token::Word(word) if word != "import");
        let name = if self.tokens.get(self.at).is_some_and(is_name) { self.dotted()? } else { String::new() };
        if dots == 0 && name.is_empty() || !self.keyword("import") {
            return None;
        }
        let mut names = Vec::new();
        self.mark('(');
        while let Some(taken) = self.word() {
            names.push(taken);
            if self.keyword("as") {
                self.word();
            }
            if !self.mark(',') {
                break;
            }
        }
        Some(Reference::Module { name, dots, names })
    }
}
