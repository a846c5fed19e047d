//! Facts about releases.
//! Spec protocol.md 4.3, 5. What is in a release goes by the release calls; here is only that it happened.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::shape::Shape;
use crate::text::hashes::Sha256Hex;
use crate::text::ids::Ulid;
use crate::text::names::WorkspaceName;
use crate::text::whole::Count;

macro_rules! release_facts {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[schemars(deny_unknown_fields)]
        pub struct $name {
            /// The release.
            pub release: Ulid,
            /// Of which workspace.
            pub workspace: WorkspaceName,
            /// Of the signed decision record.
            pub envelope_sha256: Sha256Hex,
            /// How many files were approved.
            pub files: Count,
        }

        impl Shape for $name {}
    )*};
}

release_facts!(
    /// `release.declared`: two checkers approved; the upload begins.
    ReleaseDeclared
    /// `release.completed`: the receipt equals the record.
    ReleaseCompleted
    /// `release.recalled`: it should not have left.
    ReleaseRecalled
);
