//! Asking the source: what its branches are, and the objects that a commit needs. Tries passing errors five times.
//! Spec jobs.md 20.

use std::thread;

use super::folder::{Mirror, WriteLock};
use crate::git::{Access, Call, Done, Fault, Git, contains, judge, proxy_users};
use crate::settings::secrets_of;
use crate::text::told;
use crate::url::Place;
use crate::{Commit, Error, RepoUrl, Settings};

/// How often a passing error is tried.
const TRIES: u32 = 5;
/// A local source may belong to another service of this machine; the operator has named it. Without this git refuses.
const LOCAL_UPLOAD_PACK: &str = "--upload-pack=git -c safe.directory=* upload-pack";

/// One source and the mirror of it, which is locked.
pub(super) struct Remote<'a> {
    pub(super) git: &'a Git,
    pub(super) settings: &'a Settings,
    pub(super) mirror: &'a Mirror,
    pub(super) lock: &'a WriteLock,
    pub(super) url: &'a RepoUrl,
    place: Place,
}

/// How far back a fetch goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// So many commits.
    Commits(u32),
    /// From where the mirror is.
    Since,
    /// To the first.
    All,
}

/// What the source said to a wish for an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// It is here.
    Granted,
    /// The source does not have it.
    NoObject,
    /// The source gives out only what a branch or tag names.
    Unadvertised,
}

impl<'a> Remote<'a> {
    pub(super) fn new(
        git: &'a Git,
        settings: &'a Settings,
        mirror: &'a Mirror,
        lock: &'a WriteLock,
        url: &'a RepoUrl,
    ) -> Self {
        Self { git, settings, mirror, lock, url, place: settings.rewrites.of(url) }
    }

    /// The refs of exactly these names, as (object, name).
    pub(super) fn refs(&self, names: &[&str]) -> Result<Vec<(Commit, String)>, Error> {
        // Only branches and tags are asked for: some hosts have a hundred thousand refs of other kinds.
        let mut words = vec!["ls-remote", "--quiet", "--heads", "--tags"];
        let source = self.source(&mut words);
        words.extend(["--", &source]);
        words.extend(names);
        let done = match self.call(&words)? {
            Ok(done) => done,
            Err((_, why)) => return Err(self.unreachable(why)),
        };
        let text = String::from_utf8_lossy(&done.stdout);
        let refs = text.lines().filter_map(|line| line.split_once('\t'));
        let refs = refs.filter(|(_, name)| names.contains(name));
        Ok(refs.filter_map(|(id, name)| Some((id.parse().ok()?, name.to_owned()))).collect())
    }

    /// Fetches an object by its name into a ref of ours.
    pub(super) fn fetch(&self, object: Commit, into: &str, depth: Depth) -> Result<Wish, Error> {
        let depth = match depth {
            Depth::Commits(n) => Some(format!("--depth={n}")),
            // git's own word for all of a history.
            Depth::All => Some("--depth=2147483647".to_owned()),
            Depth::Since => None,
        };
        let mut words = vec!["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"];
        words.extend(["--no-auto-maintenance", "--no-show-forced-updates", "--no-prune", "--update-shallow"]);
        words.extend(depth.as_deref());
        let source = self.source(&mut words);
        let refspec = format!("+{object}:{into}");
        words.extend(["--", &source, &refspec]);
        match self.call(&words)? {
            Ok(_) => Ok(Wish::Granted),
            Err((Fault::NoObject, _)) => Ok(Wish::NoObject),
            Err((Fault::Unadvertised, _)) => Ok(Wish::Unadvertised),
            Err((_, why)) => Err(self.unreachable(why)),
        }
    }

    fn source(&self, words: &mut Vec<&str>) -> String {
        match &self.place {
            Place::Https(https) => https.to_string(),
            Place::Local(path) => {
                words.push(LOCAL_UPLOAD_PACK);
                format!("file://{}", path.to_string_lossy().replace('%', "%25"))
            }
        }
    }

    fn unreachable(&self, why: String) -> Error {
        Error::Unreachable { url: self.url.clone(), tries: TRIES, why }
    }

    /// One call, repeated while its fault is passing. The inner error is a fault that the caller must judge.
    fn call(&self, words: &[&str]) -> Result<Result<Done, (Fault, String)>, Error> {
        let access = Access::Fetch { place: &self.place, settings: self.settings };
        let (limit, max_file) = (self.settings.time_limit, self.settings.max_pack);
        let lock = Some(&self.lock.file);
        let call = Call { git: self.git, repository: self.mirror.path(), access, limit, max_file, lock };
        let secrets = self.secrets()?;
        let mut wait = self.settings.first_wait;
        let mut tried = 0;
        loop {
            let done = call.run(words)?;
            tried += 1;
            if done.ok() {
                return Ok(Ok(done));
            }
            let url = self.url.clone();
            let why = match done.timed_out {
                true => format!("no answer within {} seconds", limit.as_secs()),
                false => told(&done.stderr, &secrets),
            };
            let mirror = self.mirror.path();
            if contains(&done.stderr, format!("not a git repository: '{}'", mirror.display()).as_bytes()) {
                return Err(Error::Damaged { mirror: mirror.to_owned(), why });
            }
            match judge(&done) {
                Fault::Passing if tried < TRIES => {
                    thread::sleep(wait);
                    wait = wait.saturating_mul(2);
                }
                Fault::NoRepository => return Err(Error::RepositoryNotFound { url, why }),
                Fault::Moved => return Err(Error::Moved { url, why }),
                Fault::TooLarge => return Err(Error::TooLargeToFetch { url, limit: max_file }),
                Fault::TooDeep => return Err(Error::TooDeep { url }),
                Fault::Here => {
                    let what = format!("{url} cannot be fetched into {}", self.mirror.path().display());
                    return Err(Error::machine(what)(std::io::Error::other(why)));
                }
                fault @ (Fault::Passing | Fault::NoObject | Fault::Unadvertised) => return Ok(Err((fault, why))),
            }
        }
    }

    /// What must not be told: the token, and what the caller's proxy wants to know. A token that cannot be read is the
    /// operator's fault, and not a refusal.
    fn secrets(&self) -> Result<Vec<String>, Error> {
        let Place::Https(https) = &self.place else { return Ok(Vec::new()) };
        let mut secrets = proxy_users();
        if let Some(file) = self.settings.tokens.file(&https.host, https.port) {
            let what = format!("the token for {} cannot be read from {}", https.host, file.display());
            secrets.extend(secrets_of(file).map_err(Error::machine(what))?);
        }
        Ok(secrets)
    }
}
