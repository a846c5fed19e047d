//! Which built-in action made a file, and how it was told to behave: what the record and the manifest keep of it.
//! Spec actions.md 2.2.

use serde::{Deserialize, Serialize};

use crate::ObjectId;
use crate::provenance::ImageIdentity;
use crate::state::JobDefinition;

/// What a built-in action does where nobody says how (spec actions.md 2.4).
const USUAL: &str = "safe";

/// A built-in action as it ran; the version of the program stands beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuiltIn {
    /// Its name.
    pub name: String,
    /// As the study writes it.
    pub version: String,
    /// The way to behave that this version has.
    pub profile: String,
    /// The revision of that.
    pub revision: String,
    /// `safe`, or which original it was told to follow.
    pub compat: String,
    /// SHA-256 of `config:` as the action got it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_sha256: Option<ObjectId>,
}

impl BuiltIn {
    /// `None` for a job that runs no built-in action.
    pub fn of(definition: &JobDefinition) -> Option<Self> {
        let ImageIdentity::Builtin { name, profile, behaviour } = &definition.image else { return None };
        Some(Self {
            name: name.clone(),
            version: definition.runtime.tag.clone(),
            profile: profile.clone(),
            revision: behaviour.clone(),
            compat: compat(&definition.words).to_owned(),
            config_sha256: definition.config.as_ref().map(|config| ObjectId::of(config.as_bytes())),
        })
    }
}

/// The last `--compat` of a command, which is the one that counts.
fn compat(words: &[String]) -> &str {
    let joined = |word: &String| word.strip_prefix("--compat=").is_some();
    match words.iter().rposition(|word| word == "--compat" || joined(word)) {
        Some(at) => match words[at].split_once('=') {
            Some((_, value)) => value,
            None => words.get(at + 1).map_or(USUAL, String::as_str),
        },
        None => USUAL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_switch_counts() {
        for (words, expected) in [
            ("cohort-joiner:v1 --lhs a", "safe"),
            ("x --compat=original --lhs a", "original"),
            ("x --compat original", "original"),
            ("x --compat=original --compat safe", "safe"),
            ("x --compat", "safe"),
            ("x --compatible=original", "safe"),
        ] {
            let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
            assert_eq!(compat(&words), expected, "{words:?}");
        }
    }
}
