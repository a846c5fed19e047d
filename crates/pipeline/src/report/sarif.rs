//! SARIF 2.1.0, which code scanning services and editors read.
//! One run, one rule per code that occurs, columns in Unicode scalar values as in every other form.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::in_order;
use crate::{Diagnostic, Severity, Span, explain};

/// The log as one line of JSON with a line end, for these files; their paths are relative to the repository.
pub fn sarif(program: &str, files: &[(&str, &[Diagnostic])]) -> String {
    let sorted: Vec<(&str, &Diagnostic)> =
        files.iter().flat_map(|(path, all)| in_order(all).into_iter().map(|d| (*path, d))).collect();
    let mut rules: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, d) in &sorted {
        rules.insert(d.code.0, 0);
    }
    for (i, index) in rules.values_mut().enumerate() {
        *index = i;
    }
    let listed: Vec<Value> = rules
        .keys()
        .map(|code| {
            let title = explain::page(code).map_or_else(|| (*code).to_owned(), |page| page.title.to_owned());
            json!({"id": code, "shortDescription": {"text": title}})
        })
        .collect();
    let results: Vec<Value> = sorted.iter().map(|(path, d)| result(d, path, &rules)).collect();
    let log = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "cloister", "version": program, "rules": listed}},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    log.to_string() + "\n"
}

fn result(d: &Diagnostic, path: &str, rules: &BTreeMap<&str, usize>) -> Value {
    let level = match d.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let text = d.help.as_ref().map_or_else(|| d.message.clone(), |help| format!("{}\n{help}", d.message));
    let related: Vec<Value> = d
        .labels
        .iter()
        .map(|l| {
            let mut place = location(path, Some(l.span));
            place["message"] = json!({"text": l.message});
            place
        })
        .collect();
    json!({
        "ruleId": d.code.0,
        "ruleIndex": rules.get(d.code.0),
        "level": level,
        "message": {"text": text},
        "locations": [location(path, d.span)],
        "relatedLocations": related,
    })
}

fn location(path: &str, span: Option<Span>) -> Value {
    let mut place = json!({"artifactLocation": {"uri": uri(path)}});
    if let Some(span) = span {
        place["region"] = json!({
            "startLine": span.start.line, "startColumn": span.start.column,
            "endLine": span.end.line, "endColumn": span.end.column,
            "byteOffset": span.start.offset, "byteLength": span.end.offset.saturating_sub(span.start.offset),
        });
    }
    json!({"physicalLocation": place})
}

/// A relative URI: everything outside the unreserved characters and `/` is percent-encoded.
fn uri(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out += &format!("%{byte:02X}");
        }
    }
    out
}
