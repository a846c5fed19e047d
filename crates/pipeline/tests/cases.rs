//! Every file in `cases/` says in its first lines what is to be found in it, and where.
//! `# expect: CODE LINE:COLUMN SEVERITY`, one line each in order of position; `-` for the file as a whole.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at its first surprise")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use pipeline::{
    Diagnostic, Registry, ReusableActions, RuntimeEntry, RuntimeKind, Severity, TagStatus, Tree, load, resolve,
};

fn files(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases").join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(root)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "yaml"))
        .collect();
    files.sort();
    files
}

/// The values of the leading comments with this name.
fn header<'t>(text: &'t str, name: &str) -> Vec<&'t str> {
    let lines = text.lines().take_while(|l| l.starts_with("# "));
    lines.filter_map(|l| l[2..].strip_prefix(name)?.strip_prefix(": ")).collect()
}

fn found(diagnostics: &[Diagnostic]) -> Vec<String> {
    let one = |d: &Diagnostic| {
        let place = d.span.map_or("-".to_owned(), |s| format!("{}:{}", s.start.line, s.start.column));
        let severity = match d.severity {
            Severity::Error => "E",
            Severity::Warning => "W",
            Severity::Note => "N",
        };
        format!("{} {place} {severity}", d.code.0)
    };
    diagnostics.iter().map(one).collect()
}

fn expected(text: &str) -> Vec<String> {
    let lines = header(text, "expect");
    assert!(!lines.is_empty(), "a case must say what it expects");
    lines.into_iter().filter(|l| *l != "none").map(str::to_owned).collect()
}

fn report(failures: Vec<String>) {
    assert!(failures.is_empty(), "{} cases differ:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn load_finds_what_each_case_says() {
    let mut failures = Vec::new();
    let cases = files("");
    assert!(cases.len() > 200);
    for path in cases {
        let text = fs::read_to_string(&path).unwrap();
        let loaded = load(text.as_bytes(), "project.yaml");
        let (want, got) = (expected(&text), found(&loaded.diagnostics));
        let fine = !loaded.diagnostics.iter().any(|d| d.severity == Severity::Error);
        if want != got || fine != loaded.project.is_some() {
            let messages: Vec<&str> = loaded.diagnostics.iter().map(|d| d.message.as_str()).collect();
            failures.push(format!("{}\n  want {want:?}\n  got  {got:?}\n  {messages:?}", path.display()));
        }
        for d in &loaded.diagnostics {
            assert!(!d.message.is_empty() && (d.span.is_none() || !d.label.is_empty()), "{}: {d:?}", path.display());
        }
    }
    report(failures);
}

/// Runtimes as they were published, as far as the cases need them.
fn registry() -> Registry {
    let v1_v2 = |tag: &str| match tag {
        "v1" | "v2" => TagStatus::Known,
        _ => TagStatus::Unknown { nearest: vec!["v2".to_owned(), "v1".to_owned()] },
    };
    let patches = |tag: &str| match tag.strip_prefix("v0.0.").and_then(|n| n.parse().ok()) {
        Some(1..=29) => TagStatus::Known,
        Some(n) if n > 29_u32 => TagStatus::Newer { last_known: "v0.0.29".to_owned() },
        _ => TagStatus::Unknown { nearest: vec!["v0.0.29".to_owned()] },
    };
    type Judge = fn(&str) -> TagStatus;
    let rows: [(&str, RuntimeKind, Judge); 6] = [
        ("python", RuntimeKind::Platform, v1_v2),
        ("r", RuntimeKind::Platform, v1_v2),
        ("jupyter", RuntimeKind::Platform, v1_v2),
        ("cohortextractor", RuntimeKind::Builtin, v1_v2),
        ("dataset-report", RuntimeKind::Builtin, patches),
        ("ehrql", RuntimeKind::Planned, v1_v2),
    ];
    let entry =
        |(name, kind, tag): (&str, RuntimeKind, Judge)| (name.to_owned(), RuntimeEntry { kind, latest: None, tag });
    Registry { runtimes: rows.into_iter().map(entry).collect(), reusable: ReusableActions::Nowhere }
}

#[test]
fn resolve_finds_what_each_case_says() {
    let mut failures = Vec::new();
    for path in files("resolve") {
        let text = fs::read_to_string(&path).unwrap();
        let project = load(text.as_bytes(), "project.yaml").project.unwrap();
        let tree = Tree { files: header(&text, "file").into_iter().map(str::to_owned).collect() };
        let (want, got) = (expected(&text), found(&resolve(&project, &registry(), &tree)));
        if want != got {
            failures.push(format!("{}\n  want {want:?}\n  got  {got:?}", path.display()));
        }
    }
    report(failures);
}

/// A side file `NAME.words.json` holds the words of each action of `NAME.yaml`.
#[test]
fn commands_split_into_the_words_of_the_side_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut seen = 0;
    for path in files("") {
        let side = root.join(format!("{}.words.json", path.file_stem().unwrap().to_str().unwrap()));
        let Ok(words) = fs::read_to_string(&side) else { continue };
        seen += 1;
        let expected: BTreeMap<String, Vec<String>> = serde_json::from_str(&words).unwrap();
        let project = load(&fs::read(&path).unwrap(), "project.yaml").project.unwrap();
        let found: BTreeMap<String, Vec<String>> =
            project.actions.iter().map(|a| (a.name.as_str().to_owned(), a.words.clone())).collect();
        assert_eq!(found, expected, "{}", path.display());
    }
    assert!(seen >= 2);
}
