//! A demo of the built program, for one test: started on a free port, ended with the test; and its log.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// A demo that listens.
pub(crate) struct Demo {
    program: Child,
    /// Without a slash at the end.
    pub(crate) address: String,
    cache: tempfile::TempDir,
}

impl Demo {
    /// Starts one with a cache of its own and the system's Python without packages: nothing is fetched.
    pub(crate) fn start() -> Self {
        let cache = tempfile::tempdir().unwrap();
        let python = cache.path().join("python");
        let made = Command::new("python3").args(["-m", "venv", "--without-pip"]).arg(&python).status();
        assert!(made.is_ok_and(|status| status.success()), "python3 with venv is needed: see scripts/prerequisites");
        let settings = cache.path().join("settings.toml");
        std::fs::write(&settings, format!("[runtime.\"python:latest\"]\npath = {python:?}\n")).unwrap();
        let mut program = Command::new(env!("CARGO_BIN_EXE_cloister"))
            .args(["--offline", "demo", "--listen", "127.0.0.1:0", "--studies", "one", "--config"])
            .arg(&settings)
            .arg("--log")
            .arg(cache.path().join("log"))
            .env("CLOISTER_CACHE_DIR", cache.path().join("cache"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
        let line = lines.next().expect("the demo says where it is").unwrap();
        let address = line.split(' ').next_back().unwrap().trim_end_matches('/').to_owned();
        Self { program, address, cache }
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// What its server answered to requests for this path so far: method and status of each, as its own log has them.
    pub(crate) fn answered(&self, path: &str) -> Vec<String> {
        let log = std::fs::read_to_string(self.cache.path().join("log")).unwrap();
        let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).expect(line));
        let answers = lines.filter(|line| line["message"] == "answered" && line["path"] == path);
        answers.map(|line| format!("{} {}", line["method"].as_str().unwrap(), line["status"])).collect()
    }

    /// All of its log.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.cache.path().join("log")).unwrap()
    }

    /// Ends it as Ctrl-C does; gives whether its folder is gone.
    pub(crate) fn end(mut self) -> bool {
        let pid = rustix::process::Pid::from_raw(self.program.id().cast_signed()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        let status = self.program.wait().unwrap();
        let left = std::fs::read_dir(self.cache.path().join("cache/demo")).map_or(0, Iterator::count);
        status.code() == Some(130) && left == 0
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}
