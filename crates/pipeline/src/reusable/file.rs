//! action.yaml: one key `run`, whose words stand for the first word of a study's command.
//! Spec project-yaml.md 9 (P805 to P807). The file is hostile: it came with somebody else's repository.

use super::ReusableFault;
use crate::expand::special;
use crate::source::Source;
use crate::yaml::reader::{self, Unreadable};
use crate::{CommandFault, Registry, RuntimeKind, TagStatus, split_command};

/// The file at the root of a reusable action that says what it runs.
pub const ACTION_FILE: &str = "action.yaml";
/// Its largest size in bytes; the longest `run` of a project.yaml is half of it.
pub const LARGEST_ACTION_FILE: u64 = 128 << 10;

/// What an action.yaml says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionFile {
    /// The words of `run`; the first one names a runtime of the platform.
    pub words: Vec<String>,
}

impl ActionFile {
    /// Reads the file and judges its command. Keys beside `run` mean nothing here.
    ///
    /// # Errors
    /// P805, P806 or P807, in bounded time and memory whatever the bytes are.
    pub fn read(bytes: &[u8], registry: &Registry) -> Result<Self, ReusableFault> {
        let words = words(bytes).map_err(|why| ReusableFault::BadActionFile { why })?;
        judge(&words, registry)?;
        Ok(Self { words })
    }
}

fn words(bytes: &[u8]) -> Result<Vec<String>, String> {
    if bytes.len() as u64 > LARGEST_ACTION_FILE {
        return Err(format!("it has {} bytes; at most {LARGEST_ACTION_FILE} are read", bytes.len()));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| format!("byte {} is not UTF-8 text", error.valid_up_to()))?;
    let source = Source::new(text);
    let line = |offset| source.position(offset).line;
    let doc = reader::read(&source, source.text()).map_err(|unreadable| match unreadable {
        Unreadable::Syntax { info, offset, .. } => format!("line {} is not valid YAML: {info}", line(offset)),
        Unreadable::AliasOfItself((at, _)) => format!("line {} names an anchor that does not exist yet", line(at)),
        Unreadable::Limit((at, _), limit) => format!("line {}: {limit}", line(at)),
        Unreadable::Empty => "it is empty".to_owned(),
    })?;
    if let Some((at, _)) = doc.second {
        return Err(format!("a second document begins on line {}", line(at)));
    }
    let root = doc.root();
    let mut runs =
        root.raw_entries().into_iter().filter(|entry| entry.key.scalar().is_some_and(|(key, _)| key == "run"));
    let Some(run) = runs.next() else {
        return Err("it has no key `run`".to_owned());
    };
    if let Some(again) = runs.next() {
        return Err(format!("line {} has `run` again", line(again.key.range().0)));
    }
    let Some(command) = run.value.text() else {
        return Err(format!("`run` is {}, and must be text", run.value.value().describe()));
    };
    let words = split_command(command).map_err(|fault| match fault {
        CommandFault::OpenQuote { mark, .. } => format!("a quote ({mark}) in `run` is not closed"),
        CommandFault::BackSlashAtEnd { .. } => "`run` ends with a back slash".to_owned(),
    })?;
    if words.is_empty() {
        return Err("`run` is empty".to_owned());
    }
    // No argument of a program can hold it.
    if words.iter().any(|word| word.contains('\0')) {
        return Err("`run` holds a NUL character".to_owned());
    }
    Ok(words)
}

/// A runtime of the platform that exists, and nothing that reads patients.
fn judge(words: &[String], registry: &Registry) -> Result<(), ReusableFault> {
    if special(words).is_some() {
        return Err(ReusableFault::Database { command: words.iter().take(2).cloned().collect::<Vec<_>>().join(" ") });
    }
    let word = words.first().map_or("", String::as_str);
    let refused = |why: String| {
        let names = registry.runtimes.iter().filter(|(_, entry)| entry.kind == RuntimeKind::Platform);
        let allowed = names.map(|(name, _)| name.clone()).collect();
        Err(ReusableFault::Runtime { word: word.to_owned(), why, allowed })
    };
    let Some((name, tag)) = word.split_once(':').filter(|(name, tag)| !name.is_empty() && !tag.is_empty()) else {
        return refused("it names no runtime and version, as `python:v2`".to_owned());
    };
    let Some(entry) = registry.runtimes.get(name) else {
        return refused("it is no runtime of the platform".to_owned());
    };
    match entry.kind {
        RuntimeKind::Platform => {}
        RuntimeKind::Builtin | RuntimeKind::Planned => {
            return refused("a reusable action runs code of its own in a runtime, no other action".to_owned());
        }
    }
    match (tag, (entry.tag)(tag)) {
        ("dev", _) => refused("`dev` is for tests on a laptop".to_owned()),
        ("latest", _) | (_, TagStatus::Known | TagStatus::Newer { .. }) => Ok(()),
        (_, TagStatus::Unknown { nearest }) => {
            refused(format!("there is no such version; the nearest are {}", nearest.join(", ")))
        }
    }
}
