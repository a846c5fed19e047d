//! The file as it is written: its keys, and what stands there when a key is absent.
//! Spec jobs.md 23; protocol.md 7.2.

use protocol::fact::backend::Flavour;
use protocol::order::PermissionKind;
use protocol::text::names::{BackendSlug, DataVersion, PermissionCode, ProjectSlug};
use serde::Deserialize;
use toml::Spanned;

use super::{Data, Environments, Profile};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) slug: BackendSlug,
    pub(super) flavour: Flavour,
    pub(super) profile: Profile,
    pub(super) data: Spanned<Data>,
    pub(super) data_version: Option<DataVersion>,
    #[serde(default = "native")]
    pub(super) environments: Spanned<Environments>,
    pub(super) site: Site,
    pub(super) folders: Folders,
    pub(super) repositories: Repositories,
    pub(super) actions: Option<Actions>,
    #[serde(default)]
    pub(super) workers: Workers,
    #[serde(default)]
    pub(super) limits: Limits,
    #[serde(default, rename = "permission")]
    pub(super) permissions: Vec<Grant>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Site {
    pub(super) url: Spanned<String>,
    pub(super) address: Option<Spanned<String>>,
    pub(super) ca_file: Option<String>,
    pub(super) proxy: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) gauges: Gauges,
    pub(super) offline_start_hours: Option<Spanned<i64>>,
}

#[derive(Deserialize, Default, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(super) enum Gauges {
    #[default]
    Full,
    Minimal,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Folders {
    pub(super) state: Spanned<String>,
    pub(super) high: Spanned<String>,
    pub(super) medium: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Repositories {
    pub(super) allow: Spanned<Vec<String>>,
    pub(super) allow_local: Option<Spanned<bool>>,
    #[serde(default)]
    pub(super) rewrite: Vec<Spanned<Rewrite>>,
    #[serde(default)]
    pub(super) token: Vec<Spanned<Token>>,
    pub(super) ca_file: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Actions {
    pub(super) url: Spanned<String>,
    pub(super) org: Option<String>,
    pub(super) allow: Option<Vec<Spanned<String>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rewrite {
    pub(super) from: String,
    pub(super) to: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Token {
    pub(super) host: String,
    pub(super) file: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Workers {
    pub(super) max: Option<Spanned<u32>>,
    pub(super) db: Option<Spanned<u32>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Limits {
    pub(super) cpus: Option<Spanned<u32>>,
    pub(super) memory_mb: Option<Spanned<u64>>,
    pub(super) run_time_hours: Option<Spanned<u64>>,
    pub(super) request_check_hours: Option<Spanned<u64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Grant {
    pub(super) project: ProjectSlug,
    pub(super) kind: PermissionKind,
    pub(super) code: PermissionCode,
    pub(super) ends_at: Option<Spanned<String>>,
}

fn native() -> Spanned<Environments> {
    Spanned::new(0..0, Environments::Native)
}
