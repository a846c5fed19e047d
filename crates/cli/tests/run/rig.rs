//! A study in a folder of its own, and the program run in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

pub struct Study {
    home: TempDir,
    pub folder: PathBuf,
}

pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// Whether something becomes true within 30 seconds.
pub fn soon(what: impl Fn() -> bool) -> bool {
    let begin = Instant::now();
    while !what() {
        if begin.elapsed() > Duration::from_secs(30) {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

impl Ran {
    #[track_caller]
    pub fn done(self) -> Self {
        assert_eq!(self.code, Some(0), "{}\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub fn failed(self) -> Self {
        assert_eq!(self.code, Some(1), "{}\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(
            self.out.contains(text) || self.err.contains(text),
            "{text:?} is missing in\n{}\n{}",
            self.out,
            self.err
        );
        self
    }

    /// The actions that ran, in order of their starts.
    pub fn ran(&self) -> Vec<&str> {
        self.out.lines().filter_map(|line| line.strip_suffix(": preparing")).collect()
    }
}

impl Study {
    /// A project.yaml of version 5 with these actions, and files.
    pub fn of(actions: &str, files: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("study");
        let study = Self { home, folder };
        study.use_python("python3");
        study.write("project.yaml", &format!("version: \"5\"\nactions:\n{actions}"));
        files.iter().for_each(|(path, text)| study.write(path, text));
        study
    }

    /// `python:v2` is an environment with this interpreter and no packages from now on.
    pub fn use_python(&self, interpreter: &str) {
        let place = self.home.path().join(format!("python{}", interpreter.replace('/', "-")));
        let made = Command::new(interpreter).args(["-m", "venv", "--without-pip"]).arg(&place).status();
        assert!(made.is_ok_and(|status| status.success()), "python3 with venv is needed: see scripts/prerequisites");
        let settings = format!("[runtime.\"python:v2\"]\npath = {place:?}\n");
        let folder = self.home.path().join(".config/cloister");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("cloister.toml"), settings).unwrap();
    }

    /// A copy of a study of this repository, with the runtimes that a user would have.
    pub fn copy_of(name: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("study");
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../studies").join(name);
        let copied = Command::new("cp").arg("-r").arg(from).arg(&folder).status().unwrap();
        assert!(copied.success());
        // What a person's own run in that folder left is not part of the study.
        for left in ["output", "metadata"] {
            let _ = fs::remove_dir_all(folder.join(left));
        }
        // Runtimes that are built are kept for the next time.
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("runtimes");
        fs::create_dir_all(&kept).unwrap();
        std::os::unix::fs::symlink(kept, home.path().join("cache")).unwrap();
        Self { home, folder }
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[track_caller]
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.folder.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub fn has(&self, path: &str) -> bool {
        self.folder.join(path).exists()
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cloister"));
        let cache = self.home.path().join("cache");
        command.args(words).current_dir(&self.folder).env("HOME", self.home.path()).env("CLOISTER_CACHE_DIR", cache);
        for name in [
            "XDG_CONFIG_HOME",
            "XDG_CACHE_HOME",
            "CI",
            "GITHUB_WORKFLOW",
            "GITHUB_STEP_SUMMARY",
            "NO_COLOR",
            "CLICOLOR_FORCE",
        ] {
            command.env_remove(name);
        }
        command
    }

    pub fn cloister(&self, words: &[&str]) -> Ran {
        let output = self.command(words).stdin(Stdio::null()).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ran { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// As [`Study::cloister`] with one more variable.
    pub fn with_env(&self, name: &str, value: &str, words: &[&str]) -> Ran {
        let output = self.command(words).env(name, value).stdin(Stdio::null()).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ran { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    pub fn run(&self, words: &[&str]) -> Ran {
        self.cloister(&[&["run"], words].concat())
    }

    /// The folder and the home belong to this user and group from now on.
    pub fn give_to(&self, id: u32) {
        let done = Command::new("chown").arg("-R").arg(format!("{id}:{id}")).arg(self.home.path()).status().unwrap();
        assert!(done.success());
    }

    /// The program as this user, without any group of root's. Its file must be where that user can execute it.
    pub fn cloister_as(&self, id: u32, words: &[&str]) -> Ran {
        self.cloister_through(Some(id), &[], &[], words)
    }

    /// The same after other words, which must execute the rest of their arguments, and with more variables; as this
    /// process's own user if `id` is none.
    pub fn cloister_through(
        &self,
        id: Option<u32>,
        through: &[String],
        env: &[(String, String)],
        words: &[&str],
    ) -> Ran {
        let program = self.home.path().join("cloister");
        if !program.exists() {
            let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_cloister")).arg(&program).status().unwrap();
            assert!(copied.success());
        }
        let plain = self.command(words);
        let drop = id.map(|id| format!("setpriv --reuid={id} --regid={id} --clear-groups --")).unwrap_or_default();
        let mut all: Vec<String> = drop.split_ascii_whitespace().map(ToOwned::to_owned).collect();
        all.extend(through.iter().cloned().chain([program.display().to_string()]));
        let mut command = Command::new(&all[0]);
        command.args(&all[1..]).args(words).current_dir(&self.folder);
        for (name, value) in plain.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let output = command.envs(env.iter().cloned()).stdin(Stdio::null()).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ran { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Starts a run that is watched through its standard output.
    pub fn start(&self, words: &[&str]) -> Child {
        self.command(&[&["run"], words].concat())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Where the sandboxes of this study live.
    pub fn runs(&self) -> PathBuf {
        jobs::local::runs_of(&self.home.path().join("cache/runs"), &self.folder.canonicalize().unwrap())
    }

    /// How many sandboxes there are.
    pub fn volumes(&self) -> usize {
        fs::read_dir(self.runs().join("volumes")).map_or(0, Iterator::count)
    }
}
