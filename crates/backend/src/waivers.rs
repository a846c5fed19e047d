//! Waivers: SQL files that may run here although they do not say how they treat type 1 opt-outs.
//! Spec actions.md 7.5: kept by the backend and never in the study; two people; exactly those bytes; at most a year.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use jobs::engine::Waived;
use jobs::{Commit, ObjectId, WorkspaceName};
use repositories::RepoUrl;
use serde::{Deserialize, Serialize};

pub use jobs::state::WaiverMode as Mode;
pub use pipeline::ActionName;
pub use protocol::text::hashes::Sha256Hex;
pub use protocol::text::time::Moment;

/// Seconds; no waiver holds longer.
const LONGEST: i64 = 366 * 24 * 60 * 60;

/// Characters of a reason, and of a person's name.
const LONGEST_TEXT: usize = 1000;

/// Bytes of a file that is read here.
const LARGEST: u64 = 64 * 1024;

/// What a waiver is for, and who says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// The workspace.
    pub workspace: WorkspaceName,
    /// The study's repository, in any spelling.
    pub repository: String,
    /// The commit.
    pub commit: Commit,
    /// The action.
    pub action: ActionName,
    /// The SHA-256 of the SQL file.
    pub sql: Sha256Hex,
    /// Why it may run.
    pub mode: Mode,
    /// The same in words.
    pub reason: String,
    /// Who asked for it.
    pub proposed_by: String,
    /// Who granted it: somebody else.
    pub approved_by: String,
    /// From when it holds.
    pub from: Moment,
    /// Until when, at most a year later.
    pub until: Moment,
}

/// The end of a waiver before its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revoked {
    /// When.
    pub at: Moment,
    /// Why.
    pub why: String,
}

/// A waiver as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// Its name: the moment it was made and chance, as a ULID.
    pub id: String,
    /// What it is for.
    pub terms: Terms,
    /// Whether it was ended.
    pub revoked: Option<Revoked>,
}

/// A job that would run SQL, as far as waivers look at it.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Its workspace.
    pub workspace: &'a WorkspaceName,
    /// The study's repository.
    pub repository: &'a str,
    /// The commit.
    pub commit: &'a Commit,
    /// The action.
    pub action: &'a ActionName,
    /// Whether the project holds `include_t1oo` in force.
    pub include: bool,
}

/// A waiver that cannot be made, read or ended.
#[derive(Debug, thiserror::Error)]
pub enum BadWaiver {
    /// What is asked for breaks a rule.
    #[error("no waiver: {0}")]
    Terms(String),
    /// There is none of this name.
    #[error("there is no waiver {0}; `cloister backend waiver list` shows those that there are")]
    Unknown(String),
    /// It was ended before.
    #[error("the waiver {id} was revoked before, at {at}")]
    Over {
        /// Its name.
        id: String,
        /// When.
        at: Moment,
    },
    /// A file of this folder is not one that this program wrote.
    #[error("{path} is not a waiver as this program writes them: {source}")]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// The folder cannot be used.
    #[error("the waivers in {path} cannot be used: {source}")]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The waivers of a backend: one file each below its state folder, never changed; another one ends it.
#[derive(Debug, Clone)]
pub struct Waivers(PathBuf);

/// This moment.
pub fn now() -> Moment {
    crate::orders::now()
}

impl Terms {
    /// Every rule that the words alone can break.
    fn check(&self) -> Result<(), BadWaiver> {
        let refuse = |why: String| Err(BadWaiver::Terms(why));
        for (what, text) in
            [("a reason", &self.reason), ("who proposes it", &self.proposed_by), ("who approves it", &self.approved_by)]
        {
            if text.trim().is_empty() || text.chars().count() > LONGEST_TEXT || text.chars().any(char::is_control) {
                return refuse(format!("it needs {what}, in one line of at most {LONGEST_TEXT} characters"));
            }
        }
        if self.proposed_by.trim().to_lowercase() == self.approved_by.trim().to_lowercase() {
            return refuse(format!(
                "{} cannot approve what {0} proposes: another person must",
                self.proposed_by.trim()
            ));
        }
        if self.until <= self.from {
            return refuse(format!("it would end at {}, before it begins at {}", self.until, self.from));
        }
        if self.until > self.from.plus_seconds(LONGEST) {
            return refuse("it may hold for a year at most".to_owned());
        }
        self.place().map(drop)
    }

    fn place(&self) -> Result<RepoUrl, BadWaiver> {
        self.repository.parse().map_err(|error: repositories::BadUrl| BadWaiver::Terms(error.to_string()))
    }

    fn covers(&self, asked: &Asked<'_>) -> bool {
        self.workspace == *asked.workspace
            && self.commit == *asked.commit
            && self.action == *asked.action
            && (self.mode != Mode::Include || asked.include)
            && self
                .place()
                .ok()
                .is_some_and(|place| asked.repository.parse().is_ok_and(|asked: RepoUrl| asked == place))
    }
}

impl Waiver {
    /// Whether it holds at a moment.
    pub fn holds(&self, now: Moment) -> bool {
        self.revoked.is_none() && self.terms.from <= now && now < self.terms.until
    }
}

impl Waivers {
    /// Those of the backend with this state folder.
    pub fn of_state(state: &Path) -> Self {
        Self(state.join("waivers"))
    }

    fn failed(&self, source: io::Error) -> BadWaiver {
        BadWaiver::Io { path: self.0.clone(), source }
    }

    /// Keeps a new one.
    ///
    /// # Errors
    /// A rule is broken, or the folder cannot be written.
    pub fn add(&self, terms: Terms) -> Result<Waiver, BadWaiver> {
        terms.check()?;
        let mut chance = [0; 16];
        getrandom::fill(&mut chance).map_err(|error| self.failed(io::Error::other(error)))?;
        let now = u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or_default();
        let id = ulid::Ulid::from_parts(now, u128::from_le_bytes(chance)).to_string().to_lowercase();
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0).map_err(|error| self.failed(error))?;
        self.keep(&format!("{id}.json"), &terms)?;
        Ok(Waiver { id, terms, revoked: None })
    }

    /// Ends one; jobs that run go on.
    ///
    /// # Errors
    /// There is none, it was ended before, or the folder cannot be written.
    pub fn revoke(&self, id: &str, revoked: Revoked) -> Result<Waiver, BadWaiver> {
        let found = self.all()?.into_iter().find(|waiver| waiver.id == id);
        let mut waiver = found.ok_or_else(|| BadWaiver::Unknown(id.chars().take(40).collect()))?;
        if let Some(before) = &waiver.revoked {
            return Err(BadWaiver::Over { id: waiver.id, at: before.at });
        }
        self.keep(&format!("{id}.revoked"), &revoked)?;
        waiver.revoked = Some(revoked);
        Ok(waiver)
    }

    /// All, oldest first.
    ///
    /// # Errors
    /// The folder cannot be read, or a file of it is damaged.
    pub fn all(&self) -> Result<Vec<Waiver>, BadWaiver> {
        let entries = match std::fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(absent) if absent.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.failed(error)),
        };
        let mut waivers = Vec::new();
        for entry in entries {
            let path = entry.map_err(|error| self.failed(error))?.path();
            let Some(id) = path.file_stem().and_then(|stem| stem.to_str()).filter(|_| ends(&path, "json")) else {
                continue;
            };
            let terms = self.read(&path)?.ok_or_else(|| self.failed(io::ErrorKind::NotFound.into()))?;
            let revoked = self.read(&path.with_extension("revoked"))?;
            waivers.push(Waiver { id: id.to_owned(), terms, revoked });
        }
        waivers.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(waivers)
    }

    /// The SQL files that a job may run now without their saying how they treat opt-outs.
    ///
    /// # Errors
    /// The folder cannot be read, or a file of it is damaged.
    pub fn in_force(&self, asked: &Asked<'_>, now: Moment) -> Result<Vec<Waived>, BadWaiver> {
        let covers = |waiver: &Waiver| waiver.holds(now) && waiver.terms.covers(asked);
        let sql = |terms: &Terms| terms.sql.as_str().parse::<ObjectId>().ok();
        let waived = |Waiver { terms, .. }: Waiver| Some(Waived { sql: sql(&terms)?, mode: terms.mode });
        Ok(self.all()?.into_iter().filter(covers).filter_map(waived).collect())
    }

    /// Writes a file that is not there yet; after a kill it is there whole or not at all.
    fn keep(&self, name: &str, value: &impl Serialize) -> Result<(), BadWaiver> {
        let path = self.0.join(name);
        let beside = self.0.join(format!("{name}.{}.new", std::process::id()));
        let write = || -> io::Result<()> {
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
            file.write_all(&serde_json::to_vec_pretty(value)?)?;
            file.sync_all()?;
            // A link, not a rename: what is there already stays.
            let linked = std::fs::hard_link(&beside, &path);
            std::fs::remove_file(&beside)?;
            linked?;
            File::open(&self.0)?.sync_all()
        };
        write().map_err(|source| BadWaiver::Io { path, source })
    }

    fn read<T: for<'a> Deserialize<'a>>(&self, path: &Path) -> Result<Option<T>, BadWaiver> {
        let failed = |source| BadWaiver::Io { path: path.to_owned(), source };
        let file = match File::open(path) {
            Ok(file) => file,
            Err(absent) if absent.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let mut text = String::new();
        file.take(LARGEST).read_to_string(&mut text).map_err(failed)?;
        serde_json::from_str(&text).map(Some).map_err(|source| BadWaiver::Damaged { path: path.to_owned(), source })
    }
}

fn ends(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|extension| extension == ending)
}

#[cfg(test)]
mod tests;
