//! One statement through the parser library, and its faults in our words with a place in the text.
//! Forms that the library does not know, and that do not touch names, are rewritten first.

use sqlparser::ast::Query;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::fault::FaultCode;

use super::dialect::TSql;
use super::split::{Statement, is_word, lower_first, place};
use super::{Place, Trouble};

/// Levels of nesting; one pair of brackets takes several of the library's own levels.
const MAX_DEPTH: usize = 1_000;

const HELP: &str = "correct the SQL; it must be T-SQL, as a backend runs it";

/// Parses a statement that begins like a query.
pub(super) fn query(statement: &Statement) -> Result<Box<Query>, Trouble> {
    let dialect = TSql::default();
    let tokens = rewritten(&statement.tokens);
    let mut parser = Parser::new(&dialect).with_recursion_limit(MAX_DEPTH).with_tokens_with_locations(tokens);
    let query = parser.parse_query().map_err(|error| trouble(&error, statement))?;
    let rest = parser.peek_token_ref();
    match &rest.token {
        Token::EOF => Ok(query),
        other => {
            let message = format!("expected the end of the statement, found {other}");
            Err(Trouble::new(FaultCode::SqlSyntax, message, HELP).at(place(rest)))
        }
    }
}

fn trouble(error: &ParserError, statement: &Statement) -> Trouble {
    let text = match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text,
        ParserError::RecursionLimitExceeded => {
            return Trouble::new(FaultCode::TooLarge, "the query is nested too deeply", "make the nesting flatter");
        }
    };
    let (words, location) = match text.rsplit_once(" at Line: ") {
        Some((words, location)) => (words, parse_location(location)),
        None => (text.as_str(), None),
    };
    let words =
        lower_first(words).replace("expected: ", "expected ").replace("found: EOF", "found the end of the statement");
    let words = words.replace("found: ", "found ");
    let found =
        statement.tokens.iter().find(|token| Some((token.span.start.line, token.span.start.column)) == location);
    let at = match (found, location, statement.tokens.last()) {
        (Some(token), ..) => place(token),
        (None, Some((line, column)), _) => Place { line, column, width: 1 },
        (None, None, Some(last)) => Place { line: last.span.end.line, column: last.span.end.column, width: 1 },
        (None, None, None) => Place { line: 1, column: 1, width: 1 },
    };
    Trouble::new(FaultCode::SqlSyntax, words, HELP).at(at)
}

fn parse_location(text: &str) -> Option<(u64, u64)> {
    let (line, column) = text.split_once(", Column: ")?;
    Some((line.parse().ok().filter(|line| *line > 0)?, column.parse().ok().filter(|column| *column > 0)?))
}

/// Drops join hints (`INNER HASH JOIN`), and writes `!<` and `!>` as `>=` and `<=`.
fn rewritten(tokens: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
    let is_any = |at: Option<usize>, words: &[&str]| {
        at.and_then(|at| tokens.get(at)).is_some_and(|token| words.iter().any(|text| is_word(token, text)))
    };
    let mut out: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    for (at, token) in tokens.iter().enumerate() {
        let hint = is_any(Some(at), &["HASH", "LOOP", "MERGE", "REMOTE"])
            && is_any(Some(at + 1), &["JOIN"])
            && is_any(at.checked_sub(1), &["INNER", "LEFT", "RIGHT", "FULL", "OUTER"]);
        let bang = out.last().is_some_and(|last| last.token == Token::ExclamationMark);
        let flipped = match token.token {
            Token::Gt if bang => Some(Token::LtEq),
            Token::Lt if bang => Some(Token::GtEq),
            _ => None,
        };
        match flipped {
            _ if hint => {}
            Some(flipped) => {
                out.pop();
                out.push(TokenWithSpan { token: flipped, span: token.span });
            }
            None => out.push(token.clone()),
        }
    }
    out
}
