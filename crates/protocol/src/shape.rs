//! What every body of a message is: fields that can be read strictly, written, and checked against rules that span them.
//! Spec protocol.md 3.2, 9 (c), 10.

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A body, or a whole message without envelope.
pub trait Shape: Serialize + DeserializeOwned + JsonSchema {
    /// Rules that span fields.
    ///
    /// # Errors
    /// The first rule that is broken.
    fn check(&self) -> Result<(), Broken> {
        Ok(())
    }
}

/// A rule of a message that spans fields and is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Broken(pub &'static str);

/// Why a body is not one of its type. It never repeats what came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadShape {
    /// A field is missing, or its value is not in its closed set.
    #[error("a field is missing or has a value outside its set")]
    Field,
    /// There is something that this version does not write: a field not on the list, a null for an absent one.
    #[error("there is a field or a spelling that is not on the list of what may be sent")]
    Unlisted,
    /// A rule that spans fields.
    #[error(transparent)]
    Rule(#[from] Broken),
}

/// What a reader does with fields that it does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// From inside to outside: nothing passes that is not listed.
    Refused,
    /// From outside to inside, and before versions are agreed: newer sides may say more (spec protocol.md 10).
    Ignored,
}

/// Reads a body. With [`Unknown::Refused`] the body must be exactly what our own types would write for it.
pub(crate) fn read<S: Shape>(value: &Value, unknown: Unknown) -> Result<S, BadShape> {
    let shape = S::deserialize(value).map_err(|_| BadShape::Field)?;
    shape.check()?;
    if unknown == Unknown::Refused && write(&shape)? != *value {
        return Err(BadShape::Unlisted);
    }
    Ok(shape)
}

/// Writes a body as a value.
pub(crate) fn write<S: Shape>(shape: &S) -> Result<Value, BadShape> {
    shape.check()?;
    serde_json::to_value(shape).map_err(|_| BadShape::Field)
}

/// Whether a list has no entry twice.
pub(crate) fn unique<T: Ord>(list: &[T]) -> bool {
    let mut sorted: Vec<&T> = list.iter().collect();
    sorted.sort_unstable();
    sorted.windows(2).all(|pair| pair[0] != pair[1])
}

/// Makes an enum of bodies, each under the name of its type on the wire.
macro_rules! bodies {
    ($(#[$doc:meta])* $all:ident / $kind:ident, $unknown:expr; $($(#[$what:meta])* $variant:ident($body:ty) = $name:literal;)*) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[allow(clippy::large_enum_variant, reason = "one is made at a time, and most are the large one")]
        pub enum $all { $($(#[$what])* $variant($body),)* }

        /// The types of bodies by their names on the wire.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $kind { $($(#[$what])* $variant,)* }

        impl $kind {
            /// Every type, in the order of the spec's table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name on the wire.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The type of a name, if this version knows it.
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.name() == name)
            }

            /// The JSON Schema of its body.
            pub fn schema(self) -> schemars::Schema {
                match self { $(Self::$variant => $crate::schema::of::<$body>(),)* }
            }
        }

        impl $all {
            /// The type.
            pub fn kind(&self) -> $kind {
                match self { $(Self::$variant(_) => $kind::$variant,)* }
            }

            /// Reads the body of a type.
            ///
            /// # Errors
            /// It is not one; see the variants.
            pub fn read(kind: $kind, body: &serde_json::Value) -> Result<Self, $crate::shape::BadShape> {
                Ok(match kind { $($kind::$variant => Self::$variant($crate::shape::read(body, $unknown)?),)* })
            }

            /// The body as a value.
            ///
            /// # Errors
            /// A rule that spans fields is broken.
            pub fn write(&self) -> Result<serde_json::Value, $crate::shape::BadShape> {
                match self { $(Self::$variant(body) => $crate::shape::write(body),)* }
            }
        }

        $(impl From<$body> for $all {
            fn from(body: $body) -> Self {
                Self::$variant(body)
            }
        })*
    };
}
pub(crate) use bodies;

/// Makes an enum of codes: closed, spelled in snake_case.
macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$what:meta])* $variant:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
                 schemars::JsonSchema)]
        #[serde(rename_all = "snake_case")]
        #[schemars(inline)]
        pub enum $name { $($(#[$what])* $variant,)* }

        impl $name {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
        }
    };
}
pub(crate) use codes;
