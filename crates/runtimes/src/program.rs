//! A runtime that can be started: its root, its environment variables, and how arguments become a command.
//! Spec cli.md 5 (first-argument rule), sandbox.md 5 (environment).

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sandbox::Root;

use crate::located::Located;

/// Folders of the system that every native runtime may start programs from, after its own.
pub(crate) const SYSTEM_PATH: [&str; 3] = ["/usr/local/bin", "/usr/bin", "/bin"];

/// A runtime ready to be started in a sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// What it is.
    pub located: Located,
    /// Where its programs come from.
    pub root: Root,
    /// All variables of the run except `HOME` and `OPENSAFELY_BACKEND`, which belong to the job.
    pub env: Vec<(String, String)>,
    pub(crate) start: Start,
}

/// How the first word is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Start {
    /// `cloister action --project-version V name:tag …`.
    Builtin {
        program: PathBuf,
        project_version: Option<String>,
        era: Option<String>,
        /// On a backend alone: [`Program::with_waived_sql`].
        waived_sql: Option<Vec<String>>,
        /// On a backend alone: [`Program::with_evidence`].
        evidence: Option<String>,
        word: String,
    },
    /// By the first-argument rule.
    Environment {
        /// Gets all arguments unless the first is a program itself.
        default: String,
        /// Where a bare name is looked for, on this machine, in the order of the run's `PATH`.
        search: Vec<PathBuf>,
        /// Trees of [`Root::Host`], in which absolute paths are looked for before the machine itself.
        overlays: Vec<PathBuf>,
    },
}

impl Program {
    /// The same, told by a backend which SQL files, by their SHA-256, it may run without their saying how they treat type 1
    /// opt-outs (spec actions.md 7.5). Only built-in actions are told.
    #[must_use]
    pub fn with_waived_sql(mut self, files: Vec<String>) -> Self {
        if let Start::Builtin { waived_sql, .. } = &mut self.start {
            *waived_sql = Some(files);
        }
        self
    }

    /// The same, told where in its sandbox to leave what the cells of its outputs were made of (spec actions.md 9). Only
    /// built-in actions are told.
    #[must_use]
    pub fn with_evidence(mut self, folder: &str) -> Self {
        if let Start::Builtin { evidence, .. } = &mut self.start {
            *evidence = Some(folder.to_owned());
        }
        self
    }

    /// The command for the words after `name:tag`.
    ///
    /// An argument that is a program of the environment - a bare name on its `PATH`, or the absolute path of one - is
    /// started with the rest; otherwise the default executable gets all arguments. The study folder is never looked at.
    pub fn argv(&self, args: &[String]) -> Vec<String> {
        let before = match &self.start {
            Start::Builtin { program, project_version, era, waived_sql, evidence, word } => {
                let version = project_version.iter().flat_map(|v| ["--project-version".to_owned(), v.clone()]);
                let era = era.iter().flat_map(|era| ["--era".to_owned(), era.clone()]);
                let waived = waived_sql.iter().flat_map(|files| ["--waived-sql".to_owned(), files.join(",")]);
                let evidence = evidence.iter().flat_map(|folder| ["--evidence".to_owned(), folder.clone()]);
                let before = [program.to_string_lossy().into_owned(), "action".to_owned()];
                before
                    .into_iter()
                    .chain(version)
                    .chain(era)
                    .chain(waived)
                    .chain(evidence)
                    .chain([word.clone()])
                    .collect()
            }
            Start::Environment { search, overlays, .. }
                if args.first().is_some_and(|first| names_program(first, search, overlays)) =>
            {
                Vec::new()
            }
            Start::Environment { default, .. } => vec![default.clone()],
        };
        before.into_iter().chain(args.iter().cloned()).collect()
    }
}

fn names_program(word: &str, search: &[PathBuf], overlays: &[PathBuf]) -> bool {
    if word.is_empty() || word.starts_with('-') || word.contains('\0') {
        return false;
    }
    if !word.contains('/') {
        return search.iter().any(|folder| is_executable(&folder.join(word)));
    }
    let Some(below_root) = word.strip_prefix('/') else { return false };
    if word.starts_with("/workspace/") {
        return false;
    }
    overlays.iter().any(|tree| is_executable(&tree.join(below_root)))
        || (may_be_started(Path::new(word), search) && is_executable(Path::new(word)))
}

/// Whether an absolute path lies where the run's root has programs: the system's folders, or beside one of its own.
fn may_be_started(path: &Path, search: &[PathBuf]) -> bool {
    let plain = !path.components().any(|part| part == std::path::Component::ParentDir);
    plain
        && (["/usr", "/bin", "/sbin", "/lib", "/lib64"].iter().any(|system| path.starts_with(system))
            || search.iter().any(|folder| path.starts_with(folder)))
}

/// A regular file that somebody may execute, through links.
pub(crate) fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

/// The variables that every native runtime has, with `own` folders first on the `PATH`.
///
/// The clock is that of a backend's images. Folders for caches lie below `/tmp`, the only place besides the workspace that a run can write to.
pub(crate) fn variables(own: &[PathBuf]) -> Vec<(String, String)> {
    let folders = own.iter().map(|folder| folder.to_string_lossy().into_owned());
    let path: Vec<String> = folders.chain(SYSTEM_PATH.map(str::to_owned)).collect();
    let fixed = [
        ("LANG", "C.UTF-8"),
        ("LC_ALL", "C.UTF-8"),
        ("TZ", "Etc/UTC"),
        ("XDG_CACHE_HOME", "/tmp/.cache"),
        ("XDG_CONFIG_HOME", "/tmp/.config"),
        ("XDG_DATA_HOME", "/tmp/.local/share"),
    ];
    std::iter::once(("PATH".to_owned(), path.join(":")))
        .chain(fixed.map(|(name, value)| (name.to_owned(), value.to_owned())))
        .collect()
}

/// Where bare names are looked for: `own`, then the system's folders (in `overlays` first).
pub(crate) fn search(own: &[PathBuf], overlays: &[PathBuf]) -> Vec<PathBuf> {
    let system = SYSTEM_PATH.map(|folder| Path::new(folder).to_path_buf());
    let laid_over = system.iter().flat_map(|folder| {
        overlays.iter().filter_map(|tree| folder.strip_prefix("/").ok().map(|below| tree.join(below)))
    });
    own.iter().cloned().chain(laid_over).chain(system.iter().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use pipeline::RuntimeRef;

    use super::*;
    use crate::located::Kind;

    fn program(start: Start) -> Program {
        let reference = RuntimeRef { name: "python".into(), tag: "v1".into() };
        let located = Located {
            resolved: reference.clone(),
            reference,
            kind: Kind::Native,
            title: String::new(),
            warnings: Vec::new(),
            profile: None,
            identity: String::new(),
        };
        Program { located, root: Root::Host { prefixes: vec![], overlays: vec![] }, env: vec![], start }
    }

    fn executable(path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn own(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn the_first_argument_decides() {
        let folder = tempfile::tempdir().unwrap();
        let bin = folder.path().join("env/bin");
        for name in ["python", "pytest", "analysis"] {
            executable(&bin.join(name));
        }
        fs::write(bin.join("activate"), "").unwrap();
        fs::create_dir(bin.join("folder")).unwrap();
        executable(&folder.path().join("tree/usr/bin/Rscript"));
        executable(&folder.path().join("elsewhere/tool"));
        let python = program(Start::Environment {
            default: "python".into(),
            search: vec![bin.clone(), folder.path().join("tree/usr/bin")],
            overlays: vec![folder.path().join("tree")],
        });
        let absolute = bin.join("pytest").to_string_lossy().into_owned();
        let outside = folder.path().join("elsewhere/tool").to_string_lossy().into_owned();
        let sideways = bin.join("../../elsewhere/tool").to_string_lossy().into_owned();
        for words in
            [&["pytest", "-v"][..], &["python", "a.py"], &[&absolute, "x"], &["Rscript"], &["/usr/bin/Rscript"]]
        {
            assert_eq!(python.argv(&own(words)), own(words), "{words:?} is a program");
        }
        let others: [&[&str]; 10] = [
            &["analysis/a.py", "x"],
            &["-m", "pkg.mod"],
            &[],
            &["activate"],
            &["folder"],
            &["./pytest"],
            &["/workspace/pytest"],
            &[&outside],
            &[&sideways],
            &[""],
        ];
        for words in others {
            let expected = own(&[&["python"], words].concat());
            assert_eq!(python.argv(&own(words)), expected, "{words:?} is for the default executable");
        }
    }

    #[test]
    fn a_builtin_gets_every_word() {
        let joiner = program(Start::Builtin {
            program: "/opt/cloister".into(),
            project_version: Some("3.0".into()),
            era: None,
            waived_sql: None,
            evidence: None,
            word: "cohort-joiner:v0.0.44".into(),
        });
        let args = ["sh".to_owned(), "-c".to_owned()];
        let before = ["/opt/cloister", "action", "--project-version", "3.0"];
        let behind = ["cohort-joiner:v0.0.44", "sh", "-c"];
        assert_eq!(joiner.argv(&args), own(&[before.as_slice(), &behind].concat()));
        // Nothing waived is said too: it is how a built-in learns that a backend runs it.
        for (files, said) in [(vec![], ""), (vec!["a".to_owned(), "b".to_owned()], "a,b")] {
            let expected = own(&[before.as_slice(), &["--waived-sql", said], &behind].concat());
            assert_eq!(joiner.clone().with_waived_sql(files).argv(&args), expected);
        }
        let expected = own(&[before.as_slice(), &["--evidence", "/tmp/evidence"], &behind].concat());
        assert_eq!(joiner.with_evidence("/tmp/evidence").argv(&args), expected);
    }

    #[test]
    fn system_folders_come_last() {
        let variables = variables(&["/e/bin".into()]);
        assert_eq!(variables[0], ("PATH".into(), "/e/bin:/usr/local/bin:/usr/bin:/bin".into()));
        assert!(!variables.iter().any(|(name, _)| name == "HOME"));
        let search = search(&["/e/bin".into()], &["/t".into()]);
        assert_eq!(search[1], Path::new("/t/usr/local/bin"));
        assert_eq!(search.last().unwrap(), Path::new("/bin"));
    }
}
