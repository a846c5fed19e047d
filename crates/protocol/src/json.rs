//! Reading JSON that came from the other side: limits before parsing, no doubled keys, whole numbers only; and its
//! canonical form, over which hashes and signatures are made. Spec protocol.md 3.1, 4.1, 11.

mod scan;
mod value;

pub use scan::Limits;
use serde_json::Value;

/// The greatest whole number that every JSON reader takes for the same one: 2^53 - 1.
pub const GREATEST: u64 = (1 << 53) - 1;

/// A text that is no message, whatever its fields. It never repeats the text: what came may hold what must not be said again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadJson {
    /// Longer than its kind of message may be.
    #[error("the message has {bytes} bytes; at most {limit} are allowed")]
    TooLarge {
        /// Bytes that came.
        bytes: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Lists and objects nested deeper than any message is.
    #[error("the message is nested deeper than {limit} levels")]
    TooDeep {
        /// Levels allowed.
        limit: usize,
    },
    /// More values than any message of its kind has.
    #[error("the message has more than {limit} values")]
    TooMany {
        /// Values allowed.
        limit: usize,
    },
    /// Not JSON in UTF-8, or with a doubled key or a number that is not whole: its canonical form is not defined.
    #[error(
        "the message is no JSON with unique keys and whole numbers up to 2^53 - 1 (line {line}, column {column}); \
         the other side is broken or is not Cloister"
    )]
    NotJson {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
}

/// Reads one JSON value within the limits.
///
/// # Errors
/// The text is too large, too deep or has too many values (found before anything is built), or is no JSON as above.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Value, BadJson> {
    scan::within(bytes, limits)?;
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let at = |e: serde_json::Error| BadJson::NotJson { line: e.line(), column: e.column() };
    let value = value::strict(&mut reader).map_err(at)?;
    reader.end().map_err(at)?;
    Ok(value)
}

/// The canonical form (RFC 8785) of a value.
///
/// # Errors
/// The value has a number that is not whole or beyond 2^53 - 1: such a value was not made by [`read`] or by our types.
pub fn canonical(value: &Value) -> Result<String, NotCanonical> {
    if !value::whole(value) {
        return Err(NotCanonical);
    }
    serde_json_canonicalizer::to_string(value).map_err(|_| NotCanonical)
}

/// A value without a canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message has a number that is not whole or is beyond 2^53 - 1, so that it has no canonical form")]
pub struct NotCanonical;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(bytes: &[u8]) -> Result<Value, BadJson> {
        read(bytes, &Limits { bytes: 1000, depth: 4, values: 20 })
    }

    #[test]
    fn canonical_forms_worked_out_from_the_rule() {
        // RFC 8785 3.2.3: keys by UTF-16 code units, so that U+1F600 (d83d...) is before U+FB33.
        let value =
            text(r#"{ "\ufb33":1, "\ud83d\ude00":2, "b":[true,null,"\u000a\u20ac/"], "a":-0 }"#.as_bytes()).unwrap();
        assert_eq!(canonical(&value).unwrap(), "{\"a\":0,\"b\":[true,null,\"\\n€/\"],\"😀\":2,\"\u{fb33}\":1}");
    }

    #[test]
    fn what_is_no_message() {
        for bad in [
            "",
            "{",
            "1.5",
            "1e3",
            "9007199254740992",
            "-9007199254740992",
            "99999999999999999999",
            "{\"a\":1,\"a\":1}",
            "[{\"b\":{\"a\":1,\"\\u0061\":2}}]",
            "\"\\ud800\"",
            "1 2",
            "NaN",
            "'a'",
            "[1,]",
            "\u{feff}1",
            "\"\t\"",
        ] {
            assert!(
                matches!(text(bad.as_bytes()), Err(BadJson::NotJson { .. })),
                "{bad:?}: {:?}",
                text(bad.as_bytes())
            );
        }
        assert!(matches!(text(b"\"\xff\""), Err(BadJson::NotJson { .. })));
        assert_eq!(text(b"[[[[1]]]]").unwrap().to_string(), "[[[[1]]]]");
        assert_eq!(text(b"[[[[[1]]]]]"), Err(BadJson::TooDeep { limit: 4 }));
        assert_eq!(text(b"[\"[[[[[[[\\\"[[[[[[[[\"]").unwrap(), serde_json::json!(["[[[[[[[\"[[[[[[[["]));
        assert_eq!(text(&[b' '; 1001]), Err(BadJson::TooLarge { bytes: 1001, limit: 1000 }));
        assert_eq!(text(format!("[{}1]", "1,".repeat(20)).as_bytes()), Err(BadJson::TooMany { limit: 20 }));
        assert!(text(b"9007199254740991").is_ok() && text(b"-9007199254740991").is_ok());
    }

    #[test]
    fn a_deep_text_is_refused_without_being_parsed() {
        let limits = Limits { bytes: 10_000_000, depth: 16, values: 1_000_000 };
        assert_eq!(read(&vec![b'['; 9_000_000], &limits), Err(BadJson::TooDeep { limit: 16 }));
    }

    fn tree() -> impl Strategy<Value = Value> {
        let number = -(GREATEST as i64)..=GREATEST as i64;
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            number.prop_map(Value::from),
            ".{0,6}".prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 30, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(".{0,4}", inner, 0..5)
                    .prop_map(|m| Value::Object(m.into_iter().rev().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]
        #[test]
        fn canonical_form_is_stable_and_says_the_same(value in tree()) {
            let limits = Limits { bytes: 1 << 20, depth: 16, values: 10_000 };
            let text = canonical(&value).unwrap();
            let again = read(text.as_bytes(), &limits).unwrap();
            prop_assert_eq!(&again, &value);
            prop_assert_eq!(canonical(&again).unwrap(), text.clone());
            let pretty = serde_json::to_vec_pretty(&value).unwrap();
            prop_assert_eq!(canonical(&read(&pretty, &limits).unwrap()).unwrap(), text);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = text(&bytes);
        }
    }
}
