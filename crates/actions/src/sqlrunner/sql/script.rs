//! A whole script, statement by statement: the tables it makes on the way, and the one query that is its result.
//! Only queries are parsed in full; of the rest just what names columns is read (actions.md 7.4, 7.6).

use sqlparser::ast::{Expr, Query, SelectInto, SetExpr};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::fault::FaultCode;

use super::parse;
use super::scope::Scope;
use super::split::{self, Statement, is_word, place, word};
use super::{Column, Columns, Trouble};
use crate::files::Compat;

const NOT_LAST: &str = "put the query last, or give --dummy-data-file";

/// First words of the statements of T-SQL besides queries.
const OTHER: &[&str] = &[
    "ALTER",
    "BACKUP",
    "BEGIN",
    "BREAK",
    "BULK",
    "CHECKPOINT",
    "CLOSE",
    "COMMIT",
    "CONTINUE",
    "CREATE",
    "DBCC",
    "DEALLOCATE",
    "DECLARE",
    "DELETE",
    "DENY",
    "DISABLE",
    "DROP",
    "ELSE",
    "ENABLE",
    "END",
    "EXEC",
    "EXECUTE",
    "FETCH",
    "GOTO",
    "GRANT",
    "IF",
    "INSERT",
    "KILL",
    "MERGE",
    "OPEN",
    "PRINT",
    "RAISERROR",
    "READTEXT",
    "RECONFIGURE",
    "RESTORE",
    "RETURN",
    "REVERT",
    "REVOKE",
    "ROLLBACK",
    "SAVE",
    "SET",
    "THROW",
    "TRUNCATE",
    "UPDATE",
    "UPDATETEXT",
    "USE",
    "WAITFOR",
    "WHILE",
    "WRITETEXT",
];

pub(super) fn columns(text: &str, compat: Compat) -> Result<Columns, Trouble> {
    let statements = split::statements(text)?;
    let mut scope = Scope::default();
    let mut results = Vec::new();
    let mut last_is_query = false;
    for statement in &statements {
        last_is_query = false;
        if !is_query(statement)? {
            look_at(statement, &mut scope);
            continue;
        }
        let query = parse::query(statement)?;
        match into(&query) {
            Some(table) => {
                let known = scope.query(&query);
                scope.make(&table, known);
            }
            None if assigns(statement) => {}
            None => {
                last_is_query = true;
                let known = scope.query(&query);
                results.push((statement, known));
            }
        }
    }
    if let (Compat::Safe, [(first, _), (second, _), ..]) = (compat, results.as_slice()) {
        let message =
            format!("more than one statement returns rows: the ones on lines {} and {}", line(first), line(second));
        let help = "let only one return rows; put what the others find into #temporary tables";
        return Err(Trouble::new(FaultCode::SeveralResults, message, help).at(place_of(second)));
    }
    if !last_is_query && (compat == Compat::Safe || results.is_empty()) {
        let Some(last) = statements.last() else {
            return Err(Trouble::new(FaultCode::HeaderUnknown, "there is no query in this file", "write a SELECT"));
        };
        let message = "the last statement does not return rows, so there is no header to make";
        return Err(Trouble::new(FaultCode::HeaderUnknown, message, NOT_LAST).at(place_of(last)));
    }
    let names = results.into_iter().next().map_or_else(|| Ok(Vec::new()), |(_, known)| known)?;
    let column = |(at, name): (usize, Option<String>)| match name {
        Some(name) => Column { name, named: true },
        None => Column { name: format!("_col_{at}"), named: false },
    };
    let columns = names.into_iter().enumerate().map(column).collect();
    Ok(Columns { columns, assumed: scope.assumed().into_iter().collect() })
}

fn place_of(statement: &Statement) -> super::Place {
    statement.tokens.first().map_or(super::Place { line: 1, column: 1, width: 1 }, place)
}

fn line(statement: &Statement) -> u64 {
    place_of(statement).line
}

/// Queries begin with SELECT, or with WITH or brackets that lead to one.
fn is_query(statement: &Statement) -> Result<bool, Trouble> {
    let Some(first) = statement.tokens.first() else { return Ok(false) };
    if is_word(first, "SELECT") || first.token == Token::LParen {
        return Ok(true);
    }
    if is_word(first, "WITH") {
        return Ok(verb_of_with(&statement.tokens).is_none_or(|verb| is_word(verb, "SELECT")));
    }
    let label = statement.tokens.get(1).is_some_and(|token| token.token == Token::Colon);
    if label || OTHER.iter().any(|text| is_word(first, text)) {
        return Ok(false);
    }
    let message = format!("expected a statement, found {}", first.token);
    let help = "a statement begins with a word such as SELECT, WITH or DECLARE";
    Err(Trouble::new(FaultCode::SqlSyntax, message, help).at(place(first)))
}

/// The verb of `WITH … SELECT`: the first word of its kind outside brackets.
fn verb_of_with(tokens: &[TokenWithSpan]) -> Option<&TokenWithSpan> {
    let mut depth = 0_usize;
    tokens.iter().find(|token| {
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && ["SELECT", "INSERT", "UPDATE", "DELETE", "MERGE"].iter().any(|verb| is_word(token, verb))
    })
}

/// The table that `SELECT … INTO` makes.
fn into(query: &Query) -> Option<String> {
    let mut body = query.body.as_ref();
    loop {
        match body {
            SetExpr::Select(select) => return select.into.as_ref().map(made_name),
            SetExpr::SetOperation { left, .. } => body = left,
            SetExpr::Query(query) => body = query.body.as_ref(),
            _ => return None,
        }
    }
}

fn made_name(into: &SelectInto) -> String {
    match into.targets.first() {
        Some(Expr::Identifier(ident)) => ident.value.clone(),
        Some(Expr::CompoundIdentifier(parts)) => parts.last().map(|part| part.value.clone()).unwrap_or_default(),
        Some(other) => other.to_string().rsplit('.').next().unwrap_or_default().to_owned(),
        None => String::new(),
    }
}

/// `SELECT @x = …` sets variables and returns nothing.
fn assigns(statement: &Statement) -> bool {
    let variable =
        statement.tokens.iter().position(|token| word(token).is_some_and(|word| word.value.starts_with('@')));
    let Some(at) = variable else { return false };
    // Between SELECT and the first item only DISTINCT, ALL and TOP with its number may stand.
    let before = statement.tokens.get(1..at).unwrap_or_default();
    let allowed = before.iter().all(|token| {
        matches!(token.token, Token::LParen | Token::RParen | Token::Number(..))
            || ["TOP", "ALL", "DISTINCT", "PERCENT"].iter().any(|text| is_word(token, text))
    });
    let sets = matches!(statement.tokens.get(at + 1).map(|token| &token.token), Some(Token::Eq));
    let compound = matches!(
        (statement.tokens.get(at + 1).map(|t| &t.token), statement.tokens.get(at + 2).map(|t| &t.token)),
        (Some(Token::Plus | Token::Minus | Token::Mul | Token::Div), Some(Token::Eq))
    );
    allowed && (sets || compound)
}

/// What a statement that is no query says about tables.
fn look_at(statement: &Statement, scope: &mut Scope) {
    let tokens = &statement.tokens;
    let is = |at: usize, text: &str| tokens.get(at).is_some_and(|token| is_word(token, text));
    let made = |token: &TokenWithSpan| {
        word(token).filter(|word| word.value.starts_with(['#', '@'])).map(|word| word.value.clone())
    };
    if is(0, "CREATE") && is(1, "TABLE") {
        let name = tokens.iter().skip(2).take_while(|token| token.token != Token::LParen).filter_map(made).last();
        if let (Some(name), Some(open)) = (name, tokens.iter().position(|token| token.token == Token::LParen)) {
            scope.make(&name, Ok(defined_columns(&tokens[open + 1..])));
        }
    } else if is(0, "DECLARE") {
        for at in 1..tokens.len() {
            let table = at + usize::from(is(at + 1, "AS")) + 1;
            if let Some(name) = tokens.get(at).and_then(made)
                && is(table, "TABLE")
                && tokens.get(table + 1).is_some_and(|token| token.token == Token::LParen)
            {
                scope.make(&name, Ok(defined_columns(&tokens[table + 2..])));
            }
        }
    } else if (is(0, "DROP") || is(0, "ALTER")) && is(1, "TABLE") {
        // What a table holds after it was altered is not followed.
        tokens.iter().skip(2).filter_map(made).for_each(|name| scope.drop_table(&name));
    }
}

/// Names in a table definition, from after its bracket: the first word of each part that is not a constraint.
fn defined_columns(tokens: &[TokenWithSpan]) -> Vec<Option<String>> {
    let (mut depth, mut fresh, mut names) = (1_usize, true, Vec::new());
    for token in tokens {
        match &token.token {
            Token::LParen => depth += 1,
            Token::RParen => depth -= 1,
            Token::Comma if depth == 1 => {
                fresh = true;
                continue;
            }
            Token::Word(word) if fresh => {
                let constraint = ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "INDEX", "PERIOD"];
                if word.quote_style.is_some() || !constraint.iter().any(|text| word.value.eq_ignore_ascii_case(text)) {
                    names.push(Some(word.value.clone()));
                }
            }
            _ => {}
        }
        fresh = false;
        if depth == 0 {
            break;
        }
    }
    names
}
