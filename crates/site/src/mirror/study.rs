//! What one commit holds that the site looks at: project.yaml and what it means, the names of all files, the codelists.
//! Spec site.md 7.1, 7.2; the checks are those of `cloister check`, handed the commit instead of a folder.

use std::collections::{BTreeMap, BTreeSet};

use codelists::{Given, Report, Severity};
use data_encoding::HEXLOWER;
use jobs::provenance::{CodeFile, CodeTree, ReadScanner};
use jobs::{KnownRead, ObjectId};
use pipeline::{ActionName, Diagnostic, Loaded, Project, Registry, ReusableActions, Tree};
use protocol::order;
use repositories::{Commit, CommitOnBranch, FileError, Limits, Reader, TreeName};

use super::MirrorFault;

/// Bytes of the largest file that is read from a mirror (spec site.md 16).
pub const LARGEST_FILE: u64 = 16 << 20;
/// Bytes of the largest script that is looked into, and how many are.
const LARGEST_SCRIPT: u64 = 1 << 20;
const MOST_SCRIPTS: usize = 2_000;
/// More codelists than this are not looked at one by one.
const MOST_CODELISTS: usize = 2_000;

/// A commit as the form needs it. Everything is read at that one commit.
#[derive(Debug)]
pub struct Study {
    /// The commit.
    pub commit: Commit,
    /// Its tree, 40 hexadecimal digits.
    pub tree: String,
    /// project.yaml as it is stored, with its SHA-256 in hexadecimal.
    pub yaml: Result<(Vec<u8>, String), NoProject>,
    /// What it means; nothing without the file.
    pub loaded: Loaded,
    /// What the names in it mean here: runtimes, versions, files of the commit. The backend decides, so none of it blocks.
    pub remarks: Vec<Diagnostic>,
    /// The state of the codelists.
    pub codelists: Codelists,
    /// The names of all regular files.
    pub files: BTreeSet<String>,
    /// The same with their content, as planning compares it. Links are not part of it.
    pub code: CodeTree,
    /// Which of them each action is known to read.
    pub reads: BTreeMap<ActionName, KnownRead>,
}

/// Why a commit has no project.yaml that could be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct NoProject {
    /// The code with which a backend would refuse it.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
}

/// Whether the codelists of a commit are what was downloaded for what they list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Codelists {
    /// What is wrong; empty if nothing is.
    pub faults: Vec<CodelistFault>,
    /// The command that mends it.
    pub repair: Option<&'static str>,
}

/// One thing that is wrong with the codelists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodelistFault {
    /// Its code, such as `C205`.
    pub code: &'static str,
    /// The line of codelists.txt, from 1.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
}

impl Codelists {
    /// Whether the database may be read with them.
    pub fn ok(&self) -> bool {
        self.faults.is_empty()
    }

    /// As an order says it.
    pub fn word(&self) -> order::Codelists {
        if self.ok() { order::Codelists::Ok } else { order::Codelists::Stale }
    }

    fn of(report: &Report) -> Self {
        let errors = report.findings.iter().filter(|(severity, _)| *severity == Severity::Error);
        let faults = errors.map(|(_, fault)| CodelistFault {
            code: fault.code(),
            line: fault.line(),
            message: fault.to_string(),
        });
        Self { faults: faults.collect(), repair: report.repair() }
    }
}

impl Study {
    /// Reads all of it; blocks.
    pub(super) fn read(found: &CommitOnBranch) -> Result<Self, MirrorFault> {
        let names = match found.names(&Limits::BACKEND) {
            Ok(names) => names,
            Err(repositories::ReadError::Repository(error)) => return Err(error.into()),
            // The backend would refuse the whole commit: nothing of it is looked at.
            Err(other) => {
                let code =
                    if matches!(other, repositories::ReadError::TooLarge { .. }) { "too_large" } else { "bad_commit" };
                return Ok(Self::without(found.commit(), NoProject { code, message: other.to_string() }));
            }
        };
        let files: BTreeSet<String> =
            names.files.iter().filter_map(|file| Some(file.path.as_str()?.to_owned())).collect();
        let mut reader = found.reader()?;
        let yaml = match found.project_file() {
            Ok(file) => Ok((file.bytes, HEXLOWER.encode(&file.sha256))),
            Err(error) => Err(missing(error)?),
        };
        let mut study = Self {
            tree: names.tree_id,
            ..Self::without(found.commit(), NoProject { code: "", message: String::new() })
        };
        if let Ok((bytes, _)) = &yaml {
            study.loaded = pipeline::load(bytes, "project.yaml");
        }
        if let Some(project) = &study.loaded.project {
            let tree = Tree { files: files.clone() };
            study.remarks = pipeline::resolve(project, &registry(), &tree);
        }
        study.codelists = codelists_of(&mut reader, &files);
        study.code = code_of(&names.files);
        study.reads = study.project().map(|project| reads_of(project, &study.code, &mut reader)).unwrap_or_default();
        Ok(Self { yaml, files, ..study })
    }

    fn without(commit: Commit, why: NoProject) -> Self {
        Self {
            commit,
            tree: String::new(),
            yaml: Err(why),
            loaded: Loaded { project: None, partial: None, diagnostics: Vec::new() },
            remarks: Vec::new(),
            codelists: Codelists::default(),
            files: BTreeSet::new(),
            code: CodeTree::new([]),
            reads: BTreeMap::new(),
        }
    }

    /// A commit that has only this project.yaml, for tests of what is made of it.
    #[cfg(test)]
    pub(crate) fn of_yaml(bytes: &[u8]) -> Self {
        use sha2::{Digest, Sha256};
        #[allow(clippy::unwrap_used, reason = "forty zeros are a commit")]
        let commit = "0".repeat(40).parse().unwrap();
        let yaml = Ok((bytes.to_vec(), HEXLOWER.encode(&Sha256::digest(bytes))));
        let loaded = pipeline::load(bytes, "project.yaml");
        Self { yaml, loaded, ..Self::without(commit, NoProject { code: "", message: String::new() }) }
    }

    /// The project, if nothing is wrong with it.
    pub fn project(&self) -> Option<&Project> {
        self.loaded.project.as_ref()
    }

    /// The text of project.yaml, damaged bytes replaced; empty without one.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        self.yaml.as_ref().map_or_else(|_| "".into(), |(bytes, _)| String::from_utf8_lossy(bytes))
    }

    /// Roughly the bytes that it holds in memory.
    pub(super) fn weight(&self) -> usize {
        let yaml = self.yaml.as_ref().map_or(0, |(bytes, _)| bytes.len());
        // A loaded project is some times as large as its text.
        4096 + yaml * 8 + self.files.iter().map(|path| 2 * path.len() + 180).sum::<usize>()
    }
}

/// What a commit without project.yaml says; an outage is no answer.
/// What runs on a backend. Which reusable actions there are is each backend's to say.
fn registry() -> Registry {
    Registry { reusable: ReusableActions::LookedUp(BTreeMap::new()), ..runtimes::catalogue() }
}

fn missing(error: FileError) -> Result<NoProject, MirrorFault> {
    let code = match error.refusal() {
        Some(repositories::Refusal::TooLarge) => "too_large",
        Some(_) => "project_missing",
        None => match error {
            FileError::Tree(repositories::ReadError::Repository(error)) => return Err(error.into()),
            _ => "project_missing",
        },
    };
    Ok(NoProject { code, message: error.to_string() })
}

fn codelists_of(reader: &mut Reader, files: &BTreeSet<String>) -> Codelists {
    const FOLDER: &str = "codelists/";
    let beneath = || files.range(FOLDER.to_owned()..).take_while(|path| path.starts_with(FOLDER));
    let direct = || beneath().filter(|path| !path[FOLDER.len()..].contains('/'));
    if beneath().next().is_none() {
        return Codelists::default();
    }
    let csvs: Vec<&str> = direct().map(String::as_str).filter(|path| path.ends_with(".csv")).collect();
    if csvs.len() > MOST_CODELISTS {
        let why = format!("has {} files beside it; at most {MOST_CODELISTS} are looked at", csvs.len());
        return Codelists::of(&Given::unreadable(why));
    }
    // A list too large to read is taken for absent, which is a fault in itself.
    let mut whole = |path: &str| files.contains(path).then(|| reader.file(path, LARGEST_FILE).ok()).flatten();
    let (listing, manifest) = (whole("codelists/codelists.txt"), whole("codelists/codelists.json"));
    let mut given = Given { listing, manifest, csvs: BTreeMap::new() };
    for path in csvs {
        let bytes = reader.file(path, LARGEST_FILE);
        let sha = bytes.map(|bytes| codelists::Sha::of(&bytes)).map_err(|error| error.to_string());
        given.csvs.insert(path[FOLDER.len()..].to_owned(), sha);
    }
    Codelists::of(&given.check())
}

fn code_of(files: &[TreeName]) -> CodeTree {
    CodeTree::new(files.iter().filter_map(|file| {
        Some(CodeFile {
            path: file.path.as_str()?.to_owned(),
            mode: if file.executable { 0o100_755 } else { 0o100_644 },
            // Not the hash of the bytes, but of git's name for them: as good for saying whether two are the same.
            hash: ObjectId::of(&file.blob),
        })
    }))
}

fn reads_of(project: &Project, code: &CodeTree, reader: &mut Reader) -> BTreeMap<ActionName, KnownRead> {
    let mut left = MOST_SCRIPTS;
    let mut scanner = ReadScanner::new(code, |path| {
        left = left.checked_sub(1)?;
        reader.file(path, LARGEST_SCRIPT).ok()
    });
    let reads = project.actions.iter().map(|action| {
        let config = action.config.as_ref().map(|config| config.0.as_str());
        let known = scanner.known_read(&action.words, config, action.dummy_data_file.as_deref());
        (action.name.clone(), known)
    });
    reads.collect()
}
