//! Every fault of codelists: its code, where it stands, what it says, and what mends it.
//! Spec cli.md 7: codes C101 to C403.

use std::borrow::Cow;

use crate::id::BadId;
use crate::text::{list_of, shown};

/// One fault. The message names what, where and why; [`help`](Self::help) says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// C101: codelists.txt is absent or no text.
    #[error("codelists/codelists.txt {why}")]
    Listing {
        /// In words that follow the name of the file.
        why: String,
    },
    /// C102: not an id. Without a line it comes from a command line.
    #[error("`{}` {why}", shown(text))]
    Id {
        /// Line of codelists.txt, from 1.
        line: Option<usize>,
        /// As written.
        text: String,
        /// The rule that it breaks.
        why: BadId,
    },
    /// C103: the same version of the same list twice.
    #[error("`{}` is listed twice: line {first} has it already", shown(id))]
    Twice {
        /// The second line.
        line: usize,
        /// The first line.
        first: usize,
        /// The id.
        id: String,
    },
    /// C103: what is to be added is there.
    #[error("`{}` is listed already; nothing was changed", shown(id))]
    Listed {
        /// The line that lists it.
        line: usize,
        /// The id.
        id: String,
    },
    /// C104: another version of what is to be added is there.
    #[error("`{}` is listed, another version of `{}`; nothing was changed", shown(other), shown(id))]
    OtherListed {
        /// The line that lists the other version.
        line: usize,
        /// What was to be added.
        id: String,
        /// What is listed.
        other: String,
    },
    /// C104: two versions of one list.
    #[error("`{}` is another version of `{}`, which line {first} lists", shown(id), shown(other))]
    OtherVersion {
        /// The second line.
        line: usize,
        /// The first line.
        first: usize,
        /// The id at the second line.
        id: String,
        /// The id at the first line.
        other: String,
    },
    /// C105: two lists would be one file.
    #[error("`{}` and `{}` of line {first} would both be the file {file}", shown(id), shown(other))]
    SameFile {
        /// The second line.
        line: usize,
        /// The first line.
        first: usize,
        /// The id at the second line.
        id: String,
        /// The id at the first line.
        other: String,
        /// The name of the file.
        file: String,
    },
    /// C106: an address of another site.
    #[error("`{}` is not an address of a codelist at {site}", shown(address))]
    OtherSite {
        /// As given.
        address: String,
        /// The configured site.
        site: String,
    },
    /// C201: no codelists.json.
    #[error("codelists/codelists.json does not exist, so nobody can say whether the CSV files are as downloaded")]
    NoManifest,
    /// C202: codelists.json is not what `update` writes.
    #[error("codelists/codelists.json is not valid: {why}")]
    Manifest {
        /// What is wrong with it.
        why: String,
    },
    /// C203: codelists.txt and codelists.json speak of different versions.
    #[error(
        "codelists.txt was edited and not followed by an update{}{}",
        list_of("; not downloaded", unknown),
        list_of("; no longer listed", unlisted)
    )]
    Ids {
        /// Listed, and not in the manifest.
        unknown: Vec<String>,
        /// In the manifest, and not listed.
        unlisted: Vec<String>,
    },
    /// C204: other CSV files than the manifest names.
    #[error(
        "the CSV files in codelists/ are not those of codelists.json{}{}",
        list_of("; missing", missing),
        list_of("; not from codelists.txt", extra)
    )]
    Files {
        /// In the manifest, and not on disk.
        missing: Vec<String>,
        /// On disk, and not in the manifest.
        extra: Vec<String>,
    },
    /// C205: files that are not as downloaded.
    #[error("changed since it was downloaded: {}", list_of("", files))]
    Modified {
        /// All of them, with the reason where it is not simply another content.
        files: Vec<String>,
    },
    /// C301: the site has something else for these lists, or found a fault itself.
    #[error("the codelists are not up to date with {site}: {what}")]
    Upstream {
        /// The site that was asked.
        site: String,
        /// What it said.
        what: String,
    },
    /// C302: the site could not be asked. Only a note.
    #[error("the codelists could not be compared with {site}: {why}")]
    NotCompared {
        /// The site.
        site: String,
        /// Why not.
        why: String,
    },
    /// C401: a download failed.
    #[error("{} could not be downloaded: {why}", shown(address))]
    Download {
        /// The address, or the file of a mirror.
        address: String,
        /// The last attempt's reason.
        why: String,
        /// The site was never reached: this is about the network, not about the version.
        unreached: bool,
    },
    /// C402: the version is still a draft.
    #[error("{} is a draft, which can still change", shown(id))]
    Draft {
        /// The id.
        id: String,
    },
    /// C403: what came is no codelist.
    #[error("what {} gave is no codelist: it {why}", shown(address))]
    NotACodelist {
        /// The address.
        address: String,
        /// The rule that it breaks.
        why: String,
    },
}

impl Fault {
    /// Its stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Listing { .. } => "C101",
            Self::Id { .. } => "C102",
            Self::Twice { .. } | Self::Listed { .. } => "C103",
            Self::OtherVersion { .. } | Self::OtherListed { .. } => "C104",
            Self::SameFile { .. } => "C105",
            Self::OtherSite { .. } => "C106",
            Self::NoManifest => "C201",
            Self::Manifest { .. } => "C202",
            Self::Ids { .. } => "C203",
            Self::Files { .. } => "C204",
            Self::Modified { .. } => "C205",
            Self::Upstream { .. } => "C301",
            Self::NotCompared { .. } => "C302",
            Self::Download { .. } => "C401",
            Self::Draft { .. } => "C402",
            Self::NotACodelist { .. } => "C403",
        }
    }

    /// The line of codelists.txt that it is about, from 1.
    pub fn line(&self) -> Option<usize> {
        match self {
            Self::Id { line, .. } => *line,
            Self::Twice { line, .. }
            | Self::Listed { line, .. }
            | Self::OtherVersion { line, .. }
            | Self::OtherListed { line, .. }
            | Self::SameFile { line, .. } => Some(*line),
            _ => None,
        }
    }

    /// Whether it is about codelists.json, not about codelists.txt.
    pub fn is_of_manifest(&self) -> bool {
        matches!(self, Self::NoManifest | Self::Manifest { .. } | Self::Files { .. } | Self::Modified { .. })
    }

    /// Whether the files differ in a way that `codelists update` mends.
    pub fn is_mended_by_update(&self) -> bool {
        matches!(self.code(), "C201" | "C202" | "C203" | "C204" | "C205" | "C301")
    }

    /// What to do, where more can be said than "run the command that repairs it".
    pub fn help(&self) -> Option<Cow<'static, str>> {
        Some(Cow::Borrowed(match self {
            Self::Listing { .. } => "list one codelist per line, as organisation/codelist/version",
            Self::Id { why: BadId::NoVersion, .. } => {
                "a version is needed, because a list changes and a study must not: open the version you want and copy its address"
            }
            Self::Id { .. } => "write organisation/codelist/version or user/name/codelist/version",
            Self::Twice { .. } => "remove one of the two lines",
            Self::OtherVersion { .. } | Self::SameFile { .. } => "keep one of the two",
            Self::OtherListed { id, .. } => {
                let id = shown(id);
                return Some(Cow::Owned(format!(
                    "`codelists add --replace {id}` puts the new version in place of the old"
                )));
            }
            Self::Files { extra, .. } if !extra.is_empty() => {
                "move what is yours out of codelists/, or `codelists update --delete-unlisted` deletes it"
            }
            Self::OtherSite { .. } => {
                "give the address of a version's page, of its download.csv, or organisation/codelist/version; another site is a setting, codelists.url"
            }
            Self::Draft { .. } => "publish the version, or choose one that is published",
            Self::Download { unreached: true, .. } => {
                "there is no connection to this site; nothing was changed here. `codelists check --offline` checks the files without it; \
                 where there never is one, the setting codelists.mirror names a folder or an address that has the same files"
            }
            Self::Download { .. } => {
                "open the address in a browser to see whether the version exists; nothing was changed here"
            }
            Self::NotACodelist { .. } => "open the address in a browser; nothing was changed here",
            _ => return None,
        }))
    }
}

/// Every code of this room, in order.
pub const CODES: [&str; 16] = [
    "C101", "C102", "C103", "C104", "C105", "C106", "C201", "C202", "C203", "C204", "C205", "C301", "C302", "C401",
    "C402", "C403",
];

/// Why a command could not do its work at all, or did not.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Faults of the files, of the arguments or of downloads; nothing was written.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Faults(Vec<Fault>),
    /// A file or folder of the project could not be read or written.
    #[error("{0}")]
    Folder(#[from] sandbox::folder::FolderError),
    /// Another command is changing this folder.
    #[error("another command is changing the codelists of this folder; wait for it to end")]
    Busy,
    /// Somebody changed a file meanwhile; nothing was written.
    #[error("codelists/{file} was changed by somebody else meanwhile, so nothing was written; run the command again")]
    Changed {
        /// The file.
        file: &'static str,
    },
    /// Without a network this cannot be done.
    #[error("{what} needs a network, which --offline forbids")]
    Offline {
        /// What was asked.
        what: &'static str,
    },
    /// An address in the settings that cannot be one.
    #[error("the setting {setting} is `{}`: {why}", shown(value))]
    Setting {
        /// The key.
        setting: &'static str,
        /// Its value.
        value: String,
        /// What it must be.
        why: &'static str,
    },
    /// The system refused something about the folder as a whole.
    #[error("codelists/ could not be written: {0}")]
    Io(#[from] std::io::Error),
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Faults(vec![fault])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every code with what people read, and none without.
    #[test]
    fn every_code_has_its_words() {
        let text = |text: &str| text.to_owned();
        let (line, first, id, other) = (7, 3, text("org/a/v2"), text("org/a/v1"));
        let faults = [
            Fault::Listing { why: text("does not exist") },
            Fault::Id { line: Some(7), text: text("org/a"), why: BadId::NoVersion },
            Fault::Id { line: None, text: text("a\u{1b}[31m"), why: BadId::Shape },
            Fault::Twice { line, first, id: id.clone() },
            Fault::Listed { line: first, id: id.clone() },
            Fault::OtherListed { line: first, id: id.clone(), other: other.clone() },
            Fault::OtherVersion { line, first, id: id.clone(), other: other.clone() },
            Fault::SameFile {
                line,
                first,
                id: text("user/x/y/v1"),
                other: text("user-x/y/v1"),
                file: text("user-x-y.csv"),
            },
            Fault::OtherSite { address: text("https://b.example/"), site: text("https://a.example") },
            Fault::NoManifest,
            Fault::Manifest { why: text("it is not JSON (expected value at line 1 column 1)") },
            Fault::Ids { unknown: vec![id.clone()], unlisted: vec![other] },
            Fault::Files { missing: vec![text("org-a.csv")], extra: vec![text("mine.csv"), text("x.csv")] },
            Fault::Modified { files: vec![text("org-a.csv"), text("org-b.csv (larger than any download)")] },
            Fault::Upstream { site: text("https://a.example"), what: text("changed: org-a.csv") },
            Fault::NotCompared { site: text("https://a.example"), why: text("no whole answer in time") },
            Fault::Download {
                address: text("https://a.example/x"),
                why: text("there is no such version (status 404)"),
                unreached: false,
            },
            Fault::Download {
                address: text("https://a.example/x"),
                why: text("its host is not known"),
                unreached: true,
            },
            Fault::Draft { id },
            Fault::NotACodelist { address: text("https://a.example/x"), why: text("is `text/html`, not text/csv") },
        ];
        let mut told = String::new();
        for fault in &faults {
            told += &format!("{}: {fault}\n", fault.code());
            told += &fault.help().map_or_else(String::new, |help| format!("  help: {help}\n"));
        }
        for code in CODES {
            assert!(faults.iter().any(|fault| fault.code() == code), "{code}");
        }
        insta::assert_snapshot!(told);
    }
}
