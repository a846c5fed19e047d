//! What one item of a select list is called (actions.md 7.4).
//! An alias, else the column's own name, else the text of a text literal, else nothing.

use sqlparser::ast::{BinaryOperator, Expr, Ident, Value};

/// The name of an expression without an alias.
pub(super) fn of(mut expr: &Expr) -> Option<String> {
    loop {
        match expr {
            Expr::Nested(inner) => expr = inner,
            Expr::Identifier(ident) => return of_ident(ident),
            Expr::CompoundIdentifier(parts) => return parts.last().and_then(of_ident),
            Expr::Value(value) => return of_literal(&value.value),
            // `'name' = expression`: an alias written as text.
            Expr::BinaryOp { left, op: BinaryOperator::Eq, .. } => {
                return match left.as_ref() {
                    Expr::Identifier(ident) => of_ident(ident),
                    Expr::Value(value) => of_literal(&value.value),
                    _ => None,
                };
            }
            _ => return None,
        }
    }
}

/// A variable has a value but no name.
fn of_ident(ident: &Ident) -> Option<String> {
    let variable = ident.quote_style.is_none() && ident.value.starts_with('@');
    (!variable && !ident.value.is_empty()).then(|| ident.value.clone())
}

fn of_literal(value: &Value) -> Option<String> {
    match value {
        Value::SingleQuotedString(text) | Value::NationalStringLiteral(text) if !text.is_empty() => Some(text.clone()),
        _ => None,
    }
}
