//! Words of SQL and Python that expressions do not have, each with what to write instead.
//! Spec study-definitions.md 8. They are refused only where they cannot be names of columns.

use std::ops::Range;

use super::Problem;
use super::tokens::{Token, TokenKind};

/// A word where an operator is expected.
pub(super) fn rejected_operator(word: &str, range: Range<usize>) -> Option<Problem> {
    let upper = word.to_ascii_uppercase();
    let fix = match upper.as_str() {
        "AND" | "OR" | "NOT" => {
            return Some(capitals(word, range));
        }
        "IN" => "compare with each value: `a = 'x' OR a = 'y'`",
        "BETWEEN" => "write `a >= x AND a <= y`",
        "LIKE" | "GLOB" | "REGEXP" => "texts can only be compared as a whole",
        "IS" => "compare with the empty value: `a = ''` for texts and dates, `a = 0` for numbers",
        _ => return None,
    };
    Some(Problem::new("SD502", range, format!("`{word}` is not used here")).fix(fix))
}

/// A name where a value is expected, which cannot be one because of what follows.
pub(super) fn rejected_prefix(name: &str, range: Range<usize>, next: Option<&Token<'_>>) -> Option<Problem> {
    let next = next?.kind;
    let operand = matches!(
        next,
        TokenKind::Name(_) | TokenKind::Int(_) | TokenKind::Float(_) | TokenKind::Text(_) | TokenKind::Open
    );
    if operand && name.eq_ignore_ascii_case("not") {
        return Some(capitals(name, range));
    }
    if next == TokenKind::Open {
        return Some(
            Problem::new("SD502", range, format!("`{name}(…)` looks like a function, and expressions have none"))
                .fix("name columns only; define one with `patients.…` for what the function should give"),
        );
    }
    None
}

/// A word of SQL where a column of that name does not exist.
pub(super) fn rejected_name(name: &str, range: Range<usize>) -> Option<Problem> {
    let fix = match name.to_ascii_uppercase().as_str() {
        "TRUE" => "write 1",
        "FALSE" => "write 0",
        "NULL" | "NONE" => "compare with the empty value: '' for texts and dates, 0 for numbers",
        _ => return None,
    };
    Some(Problem::new("SD502", range, format!("`{name}` is not used here")).fix(fix))
}

fn capitals(word: &str, range: Range<usize>) -> Problem {
    let upper = word.to_ascii_uppercase();
    Problem::new("SD502", range, format!("`{word}` is written in capitals")).fix(format!("write `{upper}`"))
}
