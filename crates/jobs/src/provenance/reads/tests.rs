//! Runs the case files of `cases/reads`: a tree and a command -> what is known to be read.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::ReadScanner;
use crate::ObjectId;
use crate::provenance::{CodeFile, CodeTree};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// The tree: path to text.
    files: BTreeMap<String, String>,
    run: Vec<Run>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Run {
    words: Vec<String>,
    config: Option<String>,
    #[serde(default)]
    more: Vec<String>,
    /// Files of the tree that are read; all others are not.
    reads: Vec<String>,
    /// Paths that do not exist but would be read if they did.
    #[serde(default)]
    would_read: Vec<String>,
}

#[test]
fn cases() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/reads");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let case: Case = toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let file = |(path, text): (&String, &String)| CodeFile {
            path: path.clone(),
            mode: 0o100_644,
            hash: ObjectId::of(text.as_bytes()),
        };
        let tree = CodeTree::new(case.files.iter().map(file));
        let mut scanner = ReadScanner::new(&tree, |path| case.files.get(path).map(|text| text.clone().into_bytes()));
        for run in &case.run {
            let known = scanner.known_read(&run.words, run.config.as_deref(), run.more.iter().map(String::as_str));
            let read: Vec<_> = tree.files().iter().map(|f| f.path.clone()).filter(|p| known.contains(p)).collect();
            let mut wanted = run.reads.clone();
            wanted.sort();
            assert_eq!(read, wanted, "{} {:?}", path.display(), run.words);
            for path in &run.would_read {
                assert!(known.contains(path), "{path} in {:?}", known);
            }
            count += 1;
        }
    }
    assert!(count > 10, "cases are found");
}

proptest::proptest! {
    #[test]
    fn no_text_is_too_odd(text in ".{0,200}", mix in "[a-z.()\"'`{}#,=\\\\\n -]{0,300}") {
        for language in ["py", "R", "Rmd", "ipynb", "do"] {
            for text in [&text, &mix, &format!("```{{r}}\n{mix}\n```"), &format!("from {mix}"), &format!("source({mix})")] {
                let path = format!("a.{language}");
                let tree = CodeTree::new([CodeFile { path: path.clone(), mode: 0, hash: ObjectId::of(b"") }]);
                let mut scanner = ReadScanner::new(&tree, |_| Some(text.clone().into_bytes()));
                proptest::prop_assert!(scanner.known_read(&["r:v1".into(), path.clone()], None, []).contains(&path));
            }
        }
    }
}
