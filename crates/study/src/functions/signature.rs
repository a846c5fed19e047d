//! Signatures of the function table: `codelist, returning='binary_flag', {period}, **extra`.
//! Only what the table needs of Python: names, None, True, False, whole numbers, quoted text, groups in braces.

use std::collections::BTreeMap;

use super::Form;
use crate::recording::Value;

/// A parameter before its kind is known.
#[derive(Debug, PartialEq)]
pub(super) struct Slot {
    pub(super) name: String,
    pub(super) form: Form,
    pub(super) default: Option<Value>,
}

/// The parameters of a signature, groups spelled out.
pub(super) fn parse(signature: &str, groups: &BTreeMap<String, String>) -> Result<Vec<Slot>, String> {
    let mut slots = Vec::new();
    for part in signature.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        match part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(group) => {
                let group = groups.get(group).ok_or_else(|| format!("no group {group}"))?;
                for part in group.split(',') {
                    slots.push(slot(part.trim())?);
                }
            }
            None => slots.push(slot(part)?),
        }
    }
    Ok(slots)
}

fn slot(part: &str) -> Result<Slot, String> {
    let (form, part) = match (part.strip_prefix("**"), part.strip_prefix('*')) {
        (Some(rest), _) => (Form::Keywords, rest),
        (None, Some(rest)) => (Form::Positional, rest),
        (None, None) => (Form::Plain, part),
    };
    let (name, default) = match part.split_once('=') {
        Some((name, literal)) => (name, Some(value(literal)?)),
        None => (part, None),
    };
    Ok(Slot { name: name.to_owned(), form, default })
}

fn value(literal: &str) -> Result<Value, String> {
    Ok(match literal {
        "None" => Value::Null,
        "True" => Value::Bool(true),
        "False" => Value::Bool(false),
        _ => match literal.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
            Some(text) => Value::Str(text.to_owned()),
            None => Value::Int(literal.parse().map_err(|_| format!("default {literal}"))?),
        },
    })
}
