//! A folder in memory in which the targets of actions run a built-in on the fuzzer's bytes as files.
//! What must hold of every run, whatever the bytes: `Desk::run` says it.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

/// Where results go, in the folder of the desk.
pub const OUT: &str = "out";

/// One folder, used again for every input.
pub struct Desk {
    folder: PathBuf,
}

impl Desk {
    /// Below `TMPDIR`, which `scripts/fuzz` makes in memory, because every input writes files.
    pub fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("cloister-fuzz-{}", std::process::id()));
        fs::create_dir_all(folder.join("in")).expect("a folder for the files");
        Self { folder }
    }

    /// Puts a file where the action finds it as `in/NAME`; the name may have a folder.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        let path = self.folder.join("in").join(name);
        path.parent().map(fs::create_dir_all).transpose().expect("a folder for the file");
        fs::write(path, bytes).expect("a file for the action");
    }

    /// Runs an action: it ends with one of `codes`, a fault is said and leaves no result, nothing temporary is left, and
    /// nothing that it says can steer a terminal. The files of the desk are taken away again.
    pub fn run(&self, action: &str, args: &[OsString], codes: &[u8]) {
        let (mut said, mut told) = (Vec::new(), Vec::new());
        let mut context = actions::Context::by_hand(&self.folder, &mut said, &mut told);
        let code = actions::run(action, args, &mut context);
        let told = String::from_utf8(told).expect("what is told is text");
        assert!(codes.contains(&code), "exit {code} is not documented\n{told}");
        assert_eq!(code != 0, told.contains("error["), "exit {code}\n{told}");
        assert!(!told.chars().any(|c| c.is_control() && c != '\n'), "{told:?}");
        let results = self.results();
        assert!(code == 0 || results.is_empty(), "exit {code} and yet {results:?}\n{told}");
        assert!(!results.iter().any(|name| name.starts_with('.')), "left over: {results:?}");
        let _ = fs::remove_dir_all(self.folder.join(OUT));
        let _ = fs::remove_dir_all(self.folder.join("in"));
        fs::create_dir(self.folder.join("in")).expect("a folder for the files");
    }

    fn results(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.join(OUT)).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }
}

impl Default for Desk {
    fn default() -> Self {
        Self::new()
    }
}

/// The endings of the formats of patients, in the order that a byte chooses by.
pub const ENDINGS: [&str; 5] = ["csv", "csv.gz", "feather", "dta", "dta.gz"];

/// The ending that a byte chooses.
pub fn ending(choice: u8) -> &'static str {
    ENDINGS[usize::from(choice) % ENDINGS.len()]
}

/// Takes the two bytes at the front that say what is tried; an input without them says nothing.
pub fn choices(bytes: &[u8]) -> Option<([u8; 2], &[u8])> {
    let (first, rest) = bytes.split_first_chunk()?;
    Some((*first, rest))
}

/// Words of a command line.
pub fn words<const N: usize>(words: [&str; N]) -> Vec<OsString> {
    words.map(OsString::from).to_vec()
}
