//! What a form sent: read strictly, bounded, its token already checked by the guard; and the typed form.
//! Spec site.md 11.2, 11.7, 19 (malformed UTF-8, NUL in any field → 400).

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::Refusal;

/// Fields that a form may have.
const MOST_FIELDS: usize = 12_000;

/// The fields of a form, in the order sent, with repeats.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads `application/x-www-form-urlencoded`.
    ///
    /// # Errors
    /// [`Refusal::Malformed`]: not UTF-8, a NUL, a broken `%` or too many fields.
    pub fn read(body: &[u8]) -> Result<Self, Refusal> {
        let mut fields = Vec::new();
        for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            if fields.len() == MOST_FIELDS {
                return Err(Refusal::Malformed(format!("A form has at most {MOST_FIELDS} fields.")));
            }
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let (name, value) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
            fields.push((text(name)?, text(value)?));
        }
        Ok(Self(fields))
    }

    /// The first value of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All values of this name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// What may be shown again: all but the token and passwords.
    pub fn typed(&self) -> Vec<(String, String)> {
        let secret = |name: &str| name == "csrf" || name.contains("password") || name == "code";
        self.0.iter().filter(|(name, _)| !secret(name)).cloned().collect()
    }

    /// As a typed form: a `Vec` takes all values of its name, an `Option` may be absent.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] names what does not fit.
    pub fn form<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let mut body = ::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(self.0.iter().filter(|(name, _)| name != "csrf"));
        serde_html_form::from_str(&body.finish())
            .map_err(|error| Refusal::Malformed(format!("The form is not complete: {error}.")))
    }
}

/// One name or value. Also checks queries and paths, which must be text too.
pub(super) fn text(coded: &[u8]) -> Result<String, Refusal> {
    let malformed = |why: &str| Refusal::Malformed(format!("That is no text: {why}."));
    let mut bytes = Vec::with_capacity(coded.len());
    let mut rest = coded;
    while let Some((byte, more)) = rest.split_first() {
        rest = match (byte, more) {
            (b'%', [high, low, more @ ..]) => {
                let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                let (Some(high), Some(low)) = (digit(*high), digit(*low)) else {
                    return Err(malformed("a broken % sign"));
                };
                bytes.push(high * 16 + low);
                more
            }
            (b'%', _) => return Err(malformed("a broken % sign")),
            (b'+', more) => {
                bytes.push(b' ');
                more
            }
            (byte, more) => {
                bytes.push(*byte);
                more
            }
        };
    }
    if bytes.contains(&0) {
        return Err(malformed("it holds a NUL"));
    }
    String::from_utf8(bytes).map_err(|_| malformed("it is not UTF-8"))
}

/// A form that was sent by a page of this session: the guard has checked it before the handler runs. The only way to get
/// at what a form says; a handler cannot forget the check.
#[derive(Debug)]
pub struct Form<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Form<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        checked(parts)?.form().map(Self)
    }
}

impl<S: Sync> FromRequestParts<S> for Fields {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        checked(parts).map(|fields| Self::clone(fields))
    }
}

fn checked(parts: &Parts) -> Result<&Arc<Fields>, Refusal> {
    parts.extensions.get::<Arc<Fields>>().ok_or(Refusal::OtherType("a form"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Run {
        backend: String,
        #[serde(default)]
        action: Vec<String>,
        note: Option<String>,
    }

    #[test]
    fn repeats_are_a_list_and_what_is_absent_is_absent() {
        let fields = Fields::read(b"csrf=x&backend=tpp&action=a+b&action=%C3%A9%26").unwrap();
        let run: Run = fields.form().unwrap();
        assert_eq!(run, Run { backend: "tpp".into(), action: vec!["a b".into(), "é&".into()], note: None });
        assert!(Fields::read(b"action=a").unwrap().form::<Run>().is_err());
    }

    #[test]
    fn what_is_no_text_is_refused() {
        for body in [&b"a=%ff"[..], b"a=\xff", b"a=%00", b"%00=a", b"a=%2", b"a=%zz", b"a=%"] {
            assert!(matches!(Fields::read(body), Err(Refusal::Malformed(_))), "{body:?}");
        }
        assert!(Fields::read("a=1&".repeat(MOST_FIELDS).as_bytes()).is_ok());
        assert!(Fields::read("a=1&".repeat(MOST_FIELDS + 1).as_bytes()).is_err());
    }

    #[test]
    fn passwords_and_tokens_are_not_shown_again() {
        let fields = Fields::read(b"csrf=x&password=y&new_password=z&code=w&note=n").unwrap();
        assert_eq!(fields.typed(), [("note".to_owned(), "n".to_owned())]);
    }
}
