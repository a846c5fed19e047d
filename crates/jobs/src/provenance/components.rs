//! The components of a run key: everything that decides what a job makes, and nothing else.
//! Spec jobs.md 17.

use std::collections::BTreeMap;
use std::fmt;

use pipeline::{Output, Pattern, PrivacyLevel};
use serde::{Deserialize, Serialize};

use super::encode::Encoder;
use super::{CodeTree, InputFile};
use crate::{ObjectId, RunKey};

/// What the command runs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum ImageIdentity {
    /// A container image.
    Digest {
        /// `sha256:…`.
        digest: String,
    },
    /// A native environment.
    Environment {
        /// Hash of its lock.
        lock: String,
    },
    /// A built-in action.
    Builtin {
        /// Its name.
        name: String,
        /// The profile of its tag.
        profile: String,
        /// Raised whenever the same inputs would give other outputs.
        behaviour: String,
    },
}

impl fmt::Display for ImageIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digest { digest } => f.write_str(digest),
            Self::Environment { lock } => write!(f, "environment {lock}"),
            Self::Builtin { name, profile, behaviour } => write!(f, "built-in {name} {profile}, behaviour {behaviour}"),
        }
    }
}

/// Which patients a database job reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataIdentity {
    /// The data version of the database.
    pub version: String,
    /// The words of the analysis scope, sorted, `list: word`.
    pub scope: Vec<String>,
}

/// A declared output without its name, which means nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OutputSpec {
    /// Its level.
    pub level: PrivacyLevel,
    /// Its pattern.
    pub pattern: Pattern,
}

impl From<&Output> for OutputSpec {
    fn from(output: &Output) -> Self {
        Self { level: output.level, pattern: output.pattern.clone() }
    }
}

/// The name of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the fields of `Components` say what each is")]
pub enum Component {
    Command,
    Config,
    Image,
    Code,
    Inputs,
    Outputs,
    Environment,
    Data,
}

impl Component {
    /// In the order of the run key, which is also the order of explanations.
    pub const ALL: [Self; 8] = [
        Self::Command,
        Self::Config,
        Self::Image,
        Self::Code,
        Self::Inputs,
        Self::Outputs,
        Self::Environment,
        Self::Data,
    ];
    /// Its name in records and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Config => "config",
            Self::Image => "image",
            Self::Code => "code",
            Self::Inputs => "inputs",
            Self::Outputs => "outputs",
            Self::Environment => "environment",
            Self::Data => "data",
        }
    }
}

/// Everything that decides what a job makes. Not in it: commit, branch, user, ids, times, limits, host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Components {
    /// The expanded words without `--config` and its value.
    pub command: Vec<String>,
    /// That value.
    pub config: Option<String>,
    /// What the command runs in.
    pub image: ImageIdentity,
    /// The tree the action gets.
    pub code: CodeTree,
    /// The files it reads from other actions, by path.
    pub inputs: Vec<InputFile>,
    /// What it declares.
    pub outputs: Vec<OutputSpec>,
    /// Plain values given by this program, by name.
    pub environment: BTreeMap<String, String>,
    /// Database jobs only.
    pub data: Option<DataIdentity>,
}

/// Takes `--config` and its value, put there by expansion, out of expanded words (spec project-yaml.md 7.4).
///
/// Only a pair with exactly the action's own config is taken, the last one: a `--config` that the researcher wrote into
/// `run` stays part of the command.
pub fn split_config(words: &[String], config: Option<&str>) -> (Vec<String>, Option<String>) {
    let at = config.and_then(|json| words.windows(2).rposition(|pair| pair[0] == "--config" && pair[1] == json));
    match at {
        Some(i) => ([&words[..i], &words[i + 2..]].concat(), Some(words[i + 1].clone())),
        None => (words.to_vec(), None),
    }
}

impl Components {
    /// The hash of one component, so that a difference can be named without keeping what differs.
    pub fn hash(&self, component: Component) -> ObjectId {
        let mut e = Encoder::new("cloister-component-1");
        e.text(component.as_str());
        match component {
            Component::Command => e.list(self.command.iter(), |e, word| e.text(word)),
            Component::Config => e.list(self.config.iter(), |e, json| e.text(json)),
            Component::Image => match &self.image {
                ImageIdentity::Digest { digest } => {
                    e.text("digest");
                    e.text(digest);
                }
                ImageIdentity::Environment { lock } => {
                    e.text("environment");
                    e.text(lock);
                }
                ImageIdentity::Builtin { name, profile, behaviour } => {
                    e.text("builtin");
                    e.list([name, profile, behaviour].iter(), |e, part| e.text(part));
                }
            },
            Component::Code => return self.code.hash(),
            Component::Inputs => {
                // Which action and job made a file is told in explanations; what is read are a path and bytes.
                let mut files: Vec<_> = self.inputs.iter().map(|i| (i.path.as_str(), i.object)).collect();
                files.sort_unstable();
                files.dedup();
                e.list(files.iter(), |e, (path, object)| {
                    e.text(path);
                    e.bytes(&object.0);
                });
            }
            Component::Outputs => {
                let mut specs: Vec<_> = self.outputs.iter().collect();
                specs.sort_unstable();
                specs.dedup();
                e.list(specs.iter(), |e, spec| {
                    e.text(spec.level.as_str());
                    e.text(spec.pattern.as_str());
                });
            }
            Component::Environment => e.list(self.environment.iter(), |e, (name, value)| {
                e.text(name);
                e.text(value);
            }),
            Component::Data => e.list(self.data.iter(), |e, data| {
                e.text(&data.version);
                e.list(data.scope.iter(), |e, word| e.text(word));
            }),
        }
        ObjectId(e.finish())
    }

    /// The hash of every component, in order.
    pub fn hashes(&self) -> BTreeMap<Component, ObjectId> {
        Component::ALL.into_iter().map(|component| (component, self.hash(component))).collect()
    }

    /// The run key: equal exactly when every component is.
    pub fn run_key(&self) -> RunKey {
        run_key(&self.hashes())
    }
}

/// The run key of these component hashes.
pub(crate) fn run_key(hashes: &BTreeMap<Component, ObjectId>) -> RunKey {
    let mut e = Encoder::new("cloister-run-key-1");
    e.list(hashes.iter(), |e, (component, hash)| {
        e.text(component.as_str());
        e.bytes(&hash.0);
    });
    RunKey(e.finish())
}
