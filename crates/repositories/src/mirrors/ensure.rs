//! The steps that prove a commit: what the mirror knows, the branch's head, the commit by itself, then as much history as
//! the proof needs. Spec jobs.md 19, 20.

use sha1::{Digest, Sha1};

use super::folder::Mirror;
use super::remote::{Depth, Remote, Wish};
use super::{CommitOnBranch, Mirrors};
use crate::git::Git;
use crate::{Branch, Commit, Error, Network, RepoUrl, Tag};

/// How many commits of a branch are fetched, one after the other, until the wanted one is among them.
const DEPTHS: [Depth; 5] =
    [Depth::Commits(16), Depth::Commits(128), Depth::Commits(1024), Depth::Commits(8192), Depth::All];

/// A branch or tag as one segment of a ref: `a` and `a/b` can both exist, and neither decides about a path.
fn segment(name: &str) -> String {
    data_encoding::HEXLOWER.encode(&Sha1::digest(name.as_bytes()))
}

/// The proof: this commit was on that branch.
fn proof(branch: &Branch, commit: Commit) -> String {
    format!("refs/cloister/on/{}/{commit}", segment(branch.as_str()))
}

/// The head that the branch had when it was last fetched.
fn last_head(branch: &Branch) -> String {
    format!("refs/cloister/head/{}", segment(branch.as_str()))
}

/// The commit that the tag had when it was last resolved.
fn last_tag(tag: &Tag) -> String {
    format!("refs/cloister/tag/{}", segment(tag.as_str()))
}

/// The mirror of an address. Where nothing may be fetched none is made: it would stay empty.
fn known(mirrors: &Mirrors, url: &RepoUrl, what: impl FnOnce() -> String) -> Result<Mirror, Error> {
    if mirrors.settings.network == Network::Off && !Mirror::is_made(url, &mirrors.settings) {
        return Err(Error::Offline { url: url.clone(), what: what() });
    }
    Mirror::of(url, &mirrors.settings, &mirrors.git)
}

pub(super) fn ensure(
    mirrors: &Mirrors,
    url: &RepoUrl,
    branch: &Branch,
    commit: Commit,
) -> Result<CommitOnBranch, Error> {
    let (git, settings) = (&mirrors.git, &mirrors.settings);
    let mirror = known(mirrors, url, || format!("commit {commit} on the branch `{branch}`"))?;
    if !is_proven(mirrors, &mirror, branch, commit)? {
        if settings.network == Network::Off {
            let what = format!("commit {commit} on the branch `{branch}`");
            return Err(Error::Offline { url: url.clone(), what });
        }
        let lock = mirror.write()?;
        // Whoever held the lock may have fetched the same.
        if !is_proven(mirrors, &mirror, branch, commit)? {
            prove(&Remote::new(git, settings, &mirror, &lock, url), branch, commit)?;
            mirror.set_ref(git, &proof(branch, commit), &commit.to_string())?;
            mirror.compact(git, &lock, settings)?;
        }
    }
    Ok(CommitOnBranch { git: git.clone(), mirror, url: url.clone(), branch: branch.clone(), commit })
}

/// Refs are set only after git has checked that all they need is here.
fn is_proven(mirrors: &Mirrors, mirror: &Mirror, branch: &Branch, commit: Commit) -> Result<bool, Error> {
    let git = &mirrors.git;
    if mirror.read_ref(git, &proof(branch, commit))?.is_some() {
        return Ok(true);
    }
    let (head, commit) = (last_head(branch), commit.to_string());
    Ok(mirror.read_ref(git, &head)?.is_some()
        && mirror.has_commit(git, &commit)?
        && mirror.is_ancestor(git, &commit, &head)?)
}

fn prove(remote: &Remote<'_>, branch: &Branch, commit: Commit) -> Result<(), Error> {
    let missing = || Error::CommitNotFound { url: remote.url.clone(), commit };
    let full = format!("refs/heads/{branch}", branch = branch.as_str());
    let (head, _) = remote
        .refs(&[&full])?
        .into_iter()
        .next()
        .ok_or_else(|| Error::BranchMissing { url: remote.url.clone(), branch: branch.clone() })?;
    let into = last_head(branch);
    let known = remote.mirror.read_ref(remote.git, &into)?.is_some();
    if head == commit {
        let depth = if known { Depth::Since } else { Depth::Commits(1) };
        return match remote.fetch(head, &into, depth)? {
            Wish::Granted => Ok(()),
            Wish::NoObject | Wish::Unadvertised => Err(missing()),
        };
    }
    // An object of that name may be a tag, a folder or a file.
    let is_commit = || remote.mirror.has_commit(remote.git, &commit.to_string());
    let by_itself = format!("refs/cloister/commit/{commit}");
    let found = remote.fetch(commit, &by_itself, Depth::Commits(1))?;
    if found == Wish::NoObject || (found == Wish::Granted && !is_commit()?) {
        return Err(missing());
    }
    let first = known.then_some(Depth::Since);
    for depth in first.into_iter().chain(DEPTHS) {
        if remote.fetch(head, &into, depth)? != Wish::Granted {
            return Err(missing());
        }
        if remote.mirror.is_ancestor(remote.git, &commit.to_string(), &into)? {
            return Ok(());
        }
        if depth != Depth::Since && !cut_off(remote, &into)? {
            break;
        }
    }
    match found {
        Wish::Granted => Err(Error::NotOnBranch { url: remote.url.clone(), branch: branch.clone(), commit }),
        _ => Err(missing()),
    }
}

/// Whether more history of a ref exists than the mirror holds.
fn cut_off(remote: &Remote<'_>, name: &str) -> Result<bool, Error> {
    let path = remote.mirror.path().join("shallow");
    let edges = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(Error::machine(format!("{} cannot be read", path.display()))(error)),
    };
    for edge in edges.lines() {
        if remote.mirror.is_ancestor(remote.git, edge, name)? {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(super) fn head(mirrors: &Mirrors, url: &RepoUrl, branch: &Branch) -> Result<Commit, Error> {
    let (git, settings) = (&mirrors.git, &mirrors.settings);
    if settings.network == Network::Off {
        return Err(Error::Offline { url: url.clone(), what: format!("the head of the branch `{branch}`") });
    }
    let mirror = Mirror::of(url, settings, git)?;
    let lock = mirror.write()?;
    let full = format!("refs/heads/{}", branch.as_str());
    let found = Remote::new(git, settings, &mirror, &lock, url).refs(&[&full])?;
    let missing = || Error::BranchMissing { url: url.clone(), branch: branch.clone() };
    found.into_iter().next().map(|(commit, _)| commit).ok_or_else(missing)
}

pub(super) fn pin(git: &Git, mirror: &Mirror, branch: &Branch, commit: Commit) -> Result<(), Error> {
    let name = proof(branch, commit);
    match mirror.read_ref(git, &name)? {
        Some(_) => Ok(()),
        None => mirror.set_ref(git, &name, &commit.to_string()),
    }
}

pub(super) fn resolve(mirrors: &Mirrors, url: &RepoUrl, tag: &Tag, on: &Branch) -> Result<CommitOnBranch, Error> {
    let (git, settings) = (&mirrors.git, &mirrors.settings);
    let mirror = known(mirrors, url, || format!("the tag `{tag}`"))?;
    let kept = last_tag(tag);
    if settings.network == Network::Off {
        let known = mirror.read_ref(git, &kept)?.and_then(|commit| commit.parse().ok());
        let commit = known.ok_or_else(|| Error::Offline { url: url.clone(), what: format!("the tag `{tag}`") })?;
        return ensure(mirrors, url, on, commit);
    }
    let light = format!("refs/tags/{}", tag.as_str());
    let (peeled, head) = (format!("{light}^{{}}"), format!("refs/heads/{}", tag.as_str()));
    let found = {
        let lock = mirror.write()?;
        Remote::new(git, settings, &mirror, &lock, url).refs(&[&peeled, &light, &head])?
    };
    let named = |name: &str| found.iter().find(|(_, found)| found == name).map(|(commit, _)| *commit);
    // An annotated tag is an object of its own; what it points to is the commit.
    let commit = named(&peeled).or_else(|| named(&light)).or_else(|| named(&head));
    let commit = commit.ok_or_else(|| Error::TagMissing { url: url.clone(), tag: tag.clone() })?;
    let ensured = ensure(mirrors, url, on, commit)?;
    ensured.mirror.set_ref(git, &kept, &commit.to_string())?;
    Ok(ensured)
}
