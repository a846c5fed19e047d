//! What R code sources or renders by a literal name.
//! Spec jobs.md 17.

use super::lex::{Token, r};
use super::{Reference, Start};

/// Calls that run another file, and the name of the argument that says which.
const LOADS: [(&str, &str); 5] =
    [("source", "file"), ("sys.source", "file"), ("render", "input"), ("knit", "input"), ("read_chunk", "path")];
/// Calls that put a path together from its parts; `here` begins at the root.
const JOINS: [&str; 3] = ["here", "file.path", "path"];

/// How many tokens of a call are looked at: nested calls would otherwise be read over and over.
const LONGEST: usize = 400;

/// Every `source("…")` and its like; `plain` says where a bare path begins.
pub(super) fn references(text: &str, plain: Start) -> Vec<Reference> {
    let tokens = r(text);
    let mut references = Vec::new();
    for (i, token) in tokens.iter().enumerate() {
        let Token::Word(word) = token else { continue };
        let Some((_, argument)) = LOADS.iter().find(|(call, _)| call == word) else { continue };
        if tokens.get(i + 1) == Some(&Token::Mark('(')) {
            let arguments = &tokens[i + 2..];
            references.extend(file_argument(&arguments[..arguments.len().min(LONGEST)], argument, plain));
        }
    }
    references
}

/// The argument of that name, or the first one without a name.
fn file_argument(tokens: &[Token], name: &str, plain: Start) -> Option<Reference> {
    let mut depth = 0_usize;
    let mut starts_argument = true;
    let mut first = None;
    for (i, token) in tokens.iter().enumerate() {
        if starts_argument && depth == 0 {
            match &tokens[i..] {
                [Token::Word(named), Token::Mark('='), value @ ..] if named == name => return literal(value, plain),
                [Token::Word(_), Token::Mark('='), ..] => {}
                value if first.is_none() => first = Some(literal(value, plain)),
                _ => {}
            }
        }
        starts_argument = false;
        match token {
            Token::Mark('(' | '[' | '{') => depth += 1,
            Token::Mark(')' | ']' | '}') if depth == 0 => break,
            Token::Mark(')' | ']' | '}') => depth -= 1,
            Token::Mark(',') => starts_argument = depth == 0,
            _ => {}
        }
    }
    first.flatten()
}

/// A whole argument that is a text, or such a call with nothing but texts: `here::here("a", "b.R")`.
fn literal(tokens: &[Token], plain: Start) -> Option<Reference> {
    if let [Token::Text(text), Token::Mark(',' | ')'), ..] = tokens {
        return Some(Reference::File { path: text.clone(), from: plain });
    }
    let (call, rest) = match tokens {
        [Token::Word(_), Token::Mark(':'), Token::Mark(':'), Token::Word(call), Token::Mark('('), rest @ ..]
        | [Token::Word(call), Token::Mark('('), rest @ ..] => (call, rest),
        _ => return None,
    };
    if !JOINS.contains(&call.as_str()) {
        return None;
    }
    let mut parts = Vec::new();
    let mut pieces = rest;
    loop {
        match pieces {
            [Token::Text(part), Token::Mark(','), more @ ..] => {
                parts.push(part.as_str());
                pieces = more;
            }
            [Token::Text(part), Token::Mark(')'), Token::Mark(',' | ')'), ..] => {
                parts.push(part.as_str());
                break;
            }
            _ => return None,
        }
    }
    let from = if call == "here" { Start::Root } else { plain };
    Some(Reference::File { path: parts.join("/"), from })
}
