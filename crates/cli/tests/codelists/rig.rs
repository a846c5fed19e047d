//! A study with a home of its own and a site, and the program run in it.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::server::{Reply, Server, csv};

/// A study with its own home, and a site.
pub struct Rig {
    pub home: tempfile::TempDir,
    pub server: Server,
}

pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Default for Rig {
    fn default() -> Self {
        let rig = Self { home: tempfile::tempdir().unwrap(), server: Server::start() };
        rig.server.list("org/asthma/v1", csv("code,term\n195967001,Asthma\n"));
        rig.server.list("user/someone/other/1a2b", csv("code\n7\n"));
        rig.server.set("/api/v1/check/", Reply::With(200, "application/json", b"{\"status\":\"ok\"}".to_vec()));
        rig.write("project.yaml", "version: '4.0'\nactions: {}\n");
        rig
    }
}

impl Rig {
    pub fn folder(&self) -> PathBuf {
        self.home.path().join("study")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cloister"));
        command.args(["codelists"]).args(words).current_dir(self.folder()).stdin(Stdio::null()).env_clear();
        command.env("HOME", self.home.path()).env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("CLOISTER_CODELISTS_URL", &self.server.address);
        command
    }

    pub fn cloister(&self, words: &[&str]) -> Ran {
        ran(&mut self.command(words))
    }
}

pub fn ran(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
}
