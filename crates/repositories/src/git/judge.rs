//! What a failed call of git means: an outage, a refusal, or neither. Read from its words, which are English by `LC_ALL`.
//! Spec jobs.md 2: outage is not refusal; what is not understood counts as an outage.

use super::Done;
use super::call::contains;

/// What a failed call means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// No repository there, or none for us.
    NoRepository,
    /// It answers from elsewhere.
    Moved,
    /// The server does not have the object.
    NoObject,
    /// The server has it perhaps, but gives out only what a branch or tag names.
    Unadvertised,
    /// More than may be written.
    TooLarge,
    /// Folders nested more deeply than git lists.
    TooDeep,
    /// The disk here is full, or a file cannot be written.
    Here,
    /// Everything else: worth another try.
    Passing,
}

/// Words of git and of its https helper, each with what it means; the first that fits counts.
const WORDS: &[(&str, Fault)] = &[
    ("No space left on device", Fault::Here),
    ("Disk quota exceeded", Fault::Here),
    ("Read-only file system", Fault::Here),
    ("unable to create temporary file", Fault::Here),
    ("exceeded maximum allowed tree depth", Fault::TooDeep),
    ("not our ref", Fault::NoObject),
    ("Server does not allow request for unadvertised object", Fault::Unadvertised),
    ("no such remote ref", Fault::NoObject),
    ("' not found", Fault::NoRepository),
    ("does not appear to be a git repository", Fault::NoRepository),
    ("does not exist", Fault::NoRepository),
    ("not a git repository", Fault::NoRepository),
    ("detected dubious ownership", Fault::NoRepository),
    ("could not read Username", Fault::NoRepository),
    ("could not read Password", Fault::NoRepository),
    ("Authentication failed", Fault::NoRepository),
    ("returned error: 400", Fault::NoRepository),
    ("returned error: 401", Fault::NoRepository),
    ("returned error: 403", Fault::NoRepository),
    ("returned error: 404", Fault::NoRepository),
    ("returned error: 410", Fault::NoRepository),
    ("returned error: 451", Fault::NoRepository),
    ("not valid: is this a git repository", Fault::NoRepository),
    ("returned error: 301", Fault::Moved),
    ("returned error: 302", Fault::Moved),
    ("returned error: 303", Fault::Moved),
    ("returned error: 307", Fault::Moved),
    ("returned error: 308", Fault::Moved),
    ("unable to update url base from redirection", Fault::Moved),
];

/// Judges a call that did not end well.
pub(crate) fn judge(done: &Done) -> Fault {
    if done.timed_out {
        return Fault::Passing;
    }
    if done.wrote_too_much() {
        return Fault::TooLarge;
    }
    // A server's own words must not decide what happened: its lines are marked by git.
    let own: Vec<&[u8]> = done.stderr.split(|b| *b == b'\n').filter(|line| !line.starts_with(b"remote: ")).collect();
    let said = |words: &str| own.iter().any(|line| contains(line, words.as_bytes()));
    WORDS.iter().find(|(words, _)| said(words)).map_or(Fault::Passing, |(_, fault)| *fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(stderr: &str) -> Fault {
        let status = std::os::unix::process::ExitStatusExt::from_raw(128 << 8);
        judge(&Done { status, stdout: Vec::new(), stderr: stderr.as_bytes().to_vec(), timed_out: false })
    }

    #[test]
    fn outage_and_refusal_are_told_apart() {
        for (said, fault) in [
            ("fatal: unable to access 'https://h/a/': Could not resolve host: h", Fault::Passing),
            ("fatal: unable to access 'https://h/a/': Failed to connect to h port 443", Fault::Passing),
            ("fatal: unable to access 'https://h/a/': server certificate verification failed.", Fault::Passing),
            ("fatal: unable to access 'https://h/a/': The requested URL returned error: 503", Fault::Passing),
            ("fatal: unable to access 'https://h/a/': The requested URL returned error: 429", Fault::Passing),
            ("fatal: the remote end hung up unexpectedly", Fault::Passing),
            ("something nobody has seen before", Fault::Passing),
            ("fatal: repository 'https://h/a/' not found", Fault::NoRepository),
            ("fatal: could not read Username for 'https://h': terminal prompts disabled", Fault::NoRepository),
            ("fatal: unable to access 'https://h/a/': The requested URL returned error: 403", Fault::NoRepository),
            ("fatal: unable to access 'https://h/a/': The requested URL returned error: 301", Fault::Moved),
            ("fatal: remote error: upload-pack: not our ref 1234", Fault::NoObject),
            ("remote: repository 'x' not found\nfatal: early EOF", Fault::Passing),
            ("error: index-pack died of signal 25", Fault::TooLarge),
            ("fatal: write error: No space left on device", Fault::Here),
        ] {
            assert_eq!(judged(said), fault, "{said}");
        }
    }
}
