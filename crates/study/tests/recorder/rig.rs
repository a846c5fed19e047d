//! A Python without packages, the two fences, and workspaces to record.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sandbox::{Native, NativeOptions, Runtime};
use study::record::{ChildFence, Fence, Limits, Python, RecordError, Recorded, Request, SandboxFence, record};
use tempfile::TempDir;

/// CPython 3.8 and newer of this machine, oldest first: minor version and file.
pub(crate) fn pythons() -> Vec<(u32, PathBuf)> {
    let mut folders: Vec<PathBuf> =
        std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
    if let Some(home) = std::env::var_os("HOME")
        && let Ok(versions) = fs::read_dir(Path::new(&home).join(".pyenv/versions"))
    {
        folders.splice(0..0, versions.flatten().map(|version| version.path().join("bin")));
    }
    folders.retain(|folder| !folder.ends_with("shims"));
    (8..30)
        .filter_map(|minor| {
            let name = format!("python3.{minor}");
            folders.iter().map(|folder| folder.join(&name)).find(|path| path.is_file()).map(|path| (minor, path))
        })
        .collect()
}

/// One that tells columns, if there is any.
pub(crate) fn python() -> (u32, PathBuf) {
    let found = pythons();
    let newer = found.iter().find(|(minor, _)| *minor >= 11).or(found.last());
    newer.expect("the tests need a CPython 3.8 or newer").clone()
}

/// A workspace, a Python without packages, and a folder that no study may see.
pub(crate) struct Rig {
    pub(crate) folder: TempDir,
    pub(crate) python: Python,
    pub(crate) minor: u32,
}

impl Rig {
    pub(crate) fn new() -> Rig {
        let (minor, real) = python();
        Rig::with(minor, &real)
    }

    pub(crate) fn with(minor: u32, real: &Path) -> Rig {
        // Not below /tmp, which is another folder in a sandbox.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let real = real.canonicalize().unwrap();
        fs::create_dir_all(folder.path().join("venv/bin")).unwrap();
        symlink(&real, folder.path().join("venv/bin/python")).unwrap();
        let home = real.parent().unwrap().display();
        let settings = format!("home = {home}\ninclude-system-site-packages = false\n");
        fs::write(folder.path().join("venv/pyvenv.cfg"), settings).unwrap();
        for name in ["study/analysis", "study/codelists", "other"] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        let python = Python::at(folder.path().join("venv/bin/python"));
        let rig = Rig { folder, python, minor };
        rig.write("codelists/list.csv", "code,term\na,A\nb,B\n");
        rig
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("study")
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn study(&self, text: &str) {
        self.write("analysis/study_definition.py", text);
    }

    pub(crate) fn limits() -> Limits {
        let printed = 64 << 10;
        Limits { time: Duration::from_secs(100), cpu: Duration::from_secs(60), printed, ..Limits::default() }
    }

    pub(crate) fn child(&self) -> ChildFence {
        ChildFence { python: self.python.clone(), limits: Rig::limits() }
    }

    pub(crate) fn sandboxed(&self) -> SandboxFence {
        SandboxFence { limits: Rig::limits(), ..SandboxFence::new(self.python.clone(), runtime()) }
    }

    /// Both fences, with these limits. A machine that cannot isolate has only the child.
    pub(crate) fn fences(&self, limits: &Limits) -> Vec<(&'static str, Box<dyn Fence>)> {
        let child = ChildFence { limits: limits.clone(), ..self.child() };
        let mut fences: Vec<(&'static str, Box<dyn Fence>)> = vec![("child", Box::new(child))];
        let fence = SandboxFence { limits: limits.clone(), ..self.sandboxed() };
        let capabilities = fence.runtime.probe();
        if let Some((name, why)) = capabilities.missing().next() {
            eprintln!("SKIPPED: no sandbox on this machine ({name}: {why})");
        } else {
            fences.push(("sandbox", Box::new(fence)));
        }
        fences
    }

    pub(crate) fn record(&self, fence: &dyn Fence) -> Result<Recorded, RecordError> {
        self.record_with(fence, &[])
    }

    pub(crate) fn record_with(&self, fence: &dyn Fence, params: &[(String, String)]) -> Result<Recorded, RecordError> {
        let root = self.root();
        record(&Request { root: &root, module: "study_definition", params, backend: "expectations" }, fence)
    }

    /// Records with the child fence; the study is right.
    pub(crate) fn recorded(&self, text: &str) -> Recorded {
        self.study(text);
        self.record(&self.child()).unwrap_or_else(|error| panic!("{error}"))
    }
}

fn runtime() -> Arc<dyn Runtime> {
    let test = std::env::current_exe().unwrap();
    let supervisor = test.parent().unwrap().with_file_name("examples").join("supervisor");
    assert!(supervisor.exists(), "{} is missing: `cargo build -p study --examples`", supervisor.display());
    Arc::new(Native::new(NativeOptions { supervisor, ..NativeOptions::default() }))
}
