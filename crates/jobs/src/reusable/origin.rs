//! Where repositories of reusable actions may come from: one organisation at one place. None is built in.
//! Spec project-yaml.md 9 (the actions organisation); cli.md 11 (`actions.url`, `actions.org`); protocol.md 1.

use std::path::{Path, PathBuf};

use pipeline::reusable::name_rule;
use repositories::{AllowList, AllowedRepo, LocalRepos, RepoUrl};

/// The organisation where none is named (spec cli.md 11).
pub const ORGANISATION: &str = "opensafely-actions";

/// The place of all reusable actions: `https://host/…` or a folder of this machine, and an organisation below it.
#[derive(Debug, Clone)]
pub struct Origin {
    at: At,
    list: AllowList,
}

#[derive(Debug, Clone)]
enum At {
    /// With the organisation.
    Address(String),
    /// The folder, and the organisation that may be a folder in it.
    Folder(PathBuf, String),
}

/// Not a place of reusable actions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("reusable actions cannot come from {place:?}: {why}; write `https://host` or an absolute folder")]
pub struct BadOrigin {
    place: String,
    why: String,
}

impl Origin {
    /// The repositories `{url}/{organisation}/{name}`. A folder may also hold them itself, as `{url}/{name}`.
    ///
    /// # Errors
    /// The address, the folder or the organisation is none; a folder where `local` refuses these.
    pub fn new(url: &str, organisation: &str, local: LocalRepos) -> Result<Self, BadOrigin> {
        let bad = |why: String| BadOrigin { place: url.chars().take(200).collect(), why };
        let url = url.strip_suffix('/').unwrap_or(url);
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        if organisation.is_empty() || organisation.starts_with('.') || !organisation.bytes().all(plain) {
            return Err(bad(format!("{organisation:?} is no name of an organisation")));
        }
        let folder = url.strip_prefix("file://").unwrap_or(url);
        if folder.starts_with('/') {
            if local == LocalRepos::Refused {
                return Err(bad("folders of this machine are refused here".to_owned()));
            }
            let probe: Result<RepoUrl, _> = format!("{folder}/x").parse();
            probe.map_err(|error| bad(error.to_string()))?;
            let list = AllowList::new::<&str>([], LocalRepos::Allowed).map_err(|error| bad(error.to_string()))?;
            return Ok(Self { at: At::Folder(folder.into(), organisation.to_owned()), list });
        }
        let address = format!("{url}/{organisation}");
        let list = AllowList::new([format!("{address}/*")], LocalRepos::Refused);
        Ok(Self { at: At::Address(address), list: list.map_err(|error| bad(error.to_string()))? })
    }

    /// A repository that was allowed when a job was planned with it.
    pub(super) fn exactly(address: &str) -> Result<AllowedRepo, BadOrigin> {
        let bad = |why: String| BadOrigin { place: address.chars().take(200).collect(), why };
        let list = match address.starts_with('/') {
            true => AllowList::new::<&str>([], LocalRepos::Allowed),
            false => AllowList::new([address], LocalRepos::Refused),
        };
        let url: RepoUrl = address.parse().map_err(|error: repositories::BadUrl| bad(error.to_string()))?;
        list.map_err(|error| bad(error.to_string()))?.check(&url).map_err(|error| bad(error.to_string()))
    }

    /// Whether an action's repository is the one at this address.
    pub fn has(&self, name: &str, address: &str) -> bool {
        self.of(name).is_ok_and(|repo| repo.to_string() == address)
    }

    /// The repository of an action.
    ///
    /// # Errors
    /// In words: this cannot be the name of one (P808).
    pub(super) fn of(&self, name: &str) -> Result<AllowedRepo, &'static str> {
        if let Some(rule) = name_rule(name) {
            return Err(rule);
        }
        let address = match &self.at {
            At::Address(address) => format!("{address}/{name}"),
            At::Folder(folder, organisation) => {
                let below = folder.join(organisation);
                let folder: &Path = if below.is_dir() { &below } else { folder };
                format!("{}/{name}", folder.display())
            }
        };
        let url: RepoUrl = address.parse().map_err(|_| "no address can be made of it")?;
        self.list.check(&url).map_err(|_| "no allowed address can be made of it")
    }
}
