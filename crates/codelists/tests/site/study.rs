//! A project folder, what the commands do to it, and its bytes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use codelists::{Asking, Error, Project, Report, Site, Unlisted, Updated, Versions};

use crate::server::Server;

pub struct Study {
    pub folder: tempfile::TempDir,
    pub site: Site,
    pub asking: Asking,
}

pub const NOW: &str = "2026-01-02T03:04:05.000006Z";
pub const LATER: &str = "2026-02-02T03:04:05.000006Z";

impl Study {
    pub fn of(server: &Server) -> Self {
        Self::at(&server.address)
    }

    pub fn at(address: &str) -> Self {
        let mut asking = Asking::new("1.2.3", false);
        asking.pause = Duration::from_millis(10);
        Self { folder: tempfile::tempdir().unwrap(), site: Site::new(address, None).unwrap(), asking }
    }

    pub fn project(&self) -> Project {
        Project::at(self.folder.path()).unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("codelists").join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::create_dir_all(self.folder.path().join("codelists")).unwrap();
        fs::write(self.path(name), text).unwrap();
    }

    #[track_caller]
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn update_at(&self, now: &str, unlisted: Unlisted) -> Result<Updated, Error> {
        self.project().update(&self.site, &self.asking, unlisted, now.parse().unwrap())
    }

    pub fn update(&self) -> Result<Updated, Error> {
        self.update_at(NOW, Unlisted::Keep)
    }

    pub fn add(&self, addresses: &[&str], versions: Versions) -> Result<Updated, Error> {
        let addresses: Vec<String> = addresses.iter().map(|a| (*a).to_owned()).collect();
        self.project().add(&addresses, &self.site, &self.asking, versions, NOW.parse().unwrap())
    }

    pub fn check(&self) -> Report {
        self.project().check().unwrap()
    }

    /// Every path of the project with its bytes; folders and links too.
    pub fn bytes(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut all = BTreeMap::new();
        below(self.folder.path(), self.folder.path(), &mut all);
        all
    }
}

fn below(root: &Path, at: &Path, all: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(at).unwrap() {
        let path = entry.unwrap().path();
        let kind = fs::symlink_metadata(&path).unwrap().file_type();
        let name = path.strip_prefix(root).unwrap().to_owned();
        if kind.is_dir() {
            all.insert(name, b"folder".to_vec());
            below(root, &path, all);
        } else if kind.is_symlink() {
            all.insert(name, fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes());
        } else {
            all.insert(name, fs::read(&path).unwrap());
        }
    }
}

#[track_caller]
pub fn codes<T: std::fmt::Debug>(result: Result<T, Error>) -> Vec<&'static str> {
    match result {
        Err(Error::Faults(faults)) => faults.iter().map(codelists::Fault::code).collect(),
        other => panic!("no faults: {other:?}"),
    }
}

pub fn found(report: &Report) -> Vec<&'static str> {
    report.findings.iter().map(|(_, fault)| fault.code()).collect()
}
