//! Every text of a message is one of these types: a grammar, a greatest length and the place it comes from, so that no
//! message has a field for free text. Spec protocol.md 9 (a).

pub mod hashes;
pub mod ids;
pub mod list;
pub mod names;
pub mod time;
pub mod whole;

/// A text that breaks the grammar of its field. It never repeats the text: what came may hold what must not be said again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a {what}: {form}")]
pub struct BadText {
    /// What was expected.
    pub what: &'static str,
    /// Its form, in words.
    pub form: &'static str,
}

/// Makes a newtype for a text: what it is, where it comes from, its greatest length in characters, its pattern (one
/// regular expression for the reader here and for the JSON Schema) and its form in words.
macro_rules! text {
    ($(#[$doc:meta])* $name:ident: $what:literal from $source:literal, $max:literal, $pattern:literal, $form:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::text::BadText;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                #[allow(clippy::expect_used, reason = "the pattern is a constant; a test compiles every one")]
                static PATTERN: std::sync::LazyLock<regex::Regex> =
                    std::sync::LazyLock::new(|| regex::Regex::new($pattern).expect("a pattern of this room"));
                // Bytes first: a text of this many bytes cannot have fewer than a quarter as many characters.
                let fits = text.len() <= 4 * $max && text.chars().count() <= $max;
                if fits && PATTERN.is_match(text) {
                    Ok(Self(text.into()))
                } else {
                    Err($crate::text::BadText { what: $what, form: $form })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::text::BadText;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0.into()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string", "maxLength": $max, "pattern": $pattern, "x-what": $what, "x-source": $source
                })
            }
        }

        #[cfg(test)]
        impl $name {
            /// For tests: the text, which must be right.
            #[allow(dead_code, reason = "not every type is made by a test of this crate")]
            pub(crate) fn t(text: &str) -> Self {
                text.parse().unwrap()
            }
        }
    };
}
pub(crate) use text;
