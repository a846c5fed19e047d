//! What the API answers where it cannot do what was asked, with everything that is wrong.
//! Spec site.md 13: problem+json with `errors[{field|line, code, message}]`.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::excerpt::Fault;
use super::judge::Wrong;
use crate::access::{Refusal, RequestId};

/// One answer of this kind.
pub(crate) fn problem(id: &RequestId, status: StatusCode, code: &str, detail: &str, errors: &[Value]) -> Response {
    let body = json!({
        "type": format!("about:blank#{code}"),
        "title": status.canonical_reason().unwrap_or("Problem"),
        "status": status.as_u16(),
        "detail": detail,
        "errors": errors,
        "request_id": id.0,
    });
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
}

/// What is wrong with fields.
pub(crate) fn fields(wrong: &[Wrong]) -> Vec<Value> {
    wrong.iter().map(|one| json!({"field": one.field, "code": one.code, "message": one.message})).collect()
}

/// What is wrong with project.yaml.
pub(crate) fn lines(faults: &[Fault]) -> Vec<Value> {
    let errors = faults.iter().filter(|fault| fault.severity == "error");
    let one = |fault: &Fault| {
        let mut told = json!({"code": fault.code, "message": fault.message});
        for (name, value) in [("line", fault.line), ("column", fault.column)] {
            if let Some(value) = value {
                told[name] = json!(value);
            }
        }
        told
    };
    errors.map(one).collect()
}

/// A body as this call has it: JSON, no field that means nothing.
///
/// # Errors
/// 400 that says which, or 415.
pub(crate) fn body<T: DeserializeOwned>(headers: &http::HeaderMap, bytes: &[u8]) -> Result<T, Refusal> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        return Err(Refusal::OtherType("JSON (application/json)"));
    }
    if bytes.contains(&0) {
        return Err(Refusal::Malformed("The body holds a NUL.".to_owned()));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = T::deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    let value = read.map_err(|error| Refusal::Malformed(format!("The body cannot be used: {error}.")))?;
    if bytes_have_nul(bytes) {
        return Err(Refusal::Malformed("A text of the body holds a NUL.".to_owned()));
    }
    Ok(value)
}

/// Whether a text of this JSON holds a NUL, which is written as an escape.
fn bytes_have_nul(bytes: &[u8]) -> bool {
    let mut at = 0;
    while let Some(found) = bytes.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'\\')) {
        let escape = at + found;
        if bytes[escape..].starts_with(b"\\u0000") {
            return true;
        }
        // The escaped character may itself be a backslash.
        at = escape + 2;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::bytes_have_nul;

    #[test]
    fn an_escaped_nul_is_found_and_an_escaped_backslash_is_none() {
        assert!(bytes_have_nul(br#"{"a":"x\u0000"}"#));
        assert!(bytes_have_nul(br#"{"a":"x\\\u0000"}"#));
        assert!(!bytes_have_nul(br#"{"a":"x\\u0000"}"#));
        assert!(!bytes_have_nul(br#"{"a":"x\n"}"#) && !bytes_have_nul(b"\\"));
    }
}
