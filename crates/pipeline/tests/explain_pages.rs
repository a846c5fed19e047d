//! Every fault code has a page, and every example on it behaves as the page says.
//! The pages are data in `explain/`; spec project-yaml.md 11.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail here")]

mod world;

use std::collections::BTreeSet;
use std::path::Path;

use pipeline::explain::{self, Block, ExampleKind};
use pipeline::report::HumanOptions;
use pipeline::{Diagnostic, Severity, load, resolve, rules};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/explain");

#[test]
fn every_file_is_a_page_and_every_page_is_well_formed() {
    let files: BTreeSet<String> = std::fs::read_dir(Path::new(FOLDER))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap().trim_end_matches(".md").to_owned())
        .collect();
    let listed: Vec<String> = explain::codes().map(str::to_owned).collect();
    assert!(listed.is_sorted(), "the list in pages.rs is in order of code");
    assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), files);
    for code in explain::codes() {
        let raw = std::fs::read_to_string(format!("{FOLDER}/{code}.md")).unwrap();
        assert!(raw.starts_with(&format!("# {code}: ")), "{code}: title line");
        assert_eq!(raw.matches("\n```").count() % 2, 0, "{code}: a fence is open");
        for info in raw.lines().filter_map(|l| l.strip_prefix("```")).step_by(2) {
            let known = ["yaml fail", "yaml ok", "yaml resolve fail", "yaml resolve ok", "text"];
            assert!(known.contains(&info), "{code}: `{info}`");
        }
        let page = explain::page(code).unwrap();
        assert!(matches!(page.blocks.first(), Some(Block::Prose(_))), "{code}: no explanation");
        let kinds: Vec<ExampleKind> = page
            .blocks
            .iter()
            .filter_map(|b| if let Block::Example { kind, .. } = b { Some(*kind) } else { None })
            .collect();
        let pairs = [
            vec![ExampleKind::Fail, ExampleKind::Good],
            vec![ExampleKind::ResolveFail, ExampleKind::ResolveGood],
            vec![ExampleKind::Text],
        ];
        assert!(pairs.contains(&kinds), "{code}: {kinds:?}");
    }
}

#[test]
fn every_code_that_the_room_knows_has_a_page() {
    // The codes of spec project-yaml.md 2-10, as ranges of the families.
    let families = [
        (1, 7),
        (101, 104),
        (110, 112),
        (120, 126),
        (201, 212),
        (301, 316),
        (320, 321),
        (330, 330),
        (401, 408),
        (501, 505),
        (510, 526),
        (601, 608),
        (701, 706),
        (710, 711),
        (801, 809),
        (900, 906),
    ];
    let wanted: Vec<String> = families.iter().flat_map(|&(a, b)| (a..=b).map(|n| format!("P{n:03}"))).collect();
    assert_eq!(explain::codes().collect::<Vec<_>>(), wanted);
    for rule in rules() {
        assert!(explain::page(rule.code.0).is_some(), "{} has no page", rule.code.0);
    }
}

/// Rules that the specification marks as beyond ([B]) and that are not there yet: their examples are not reported. A
/// rule that comes leaves this list, or the test fails.
const NOT_YET: &[&str] = &["P330", "P900", "P902", "P903", "P904", "P905", "P906"];

#[test]
fn examples_behave_as_the_pages_say() {
    let mut wrong = String::new();
    for code in explain::codes() {
        for block in explain::page(code).unwrap().blocks {
            let Block::Example { kind, text } = block else { continue };
            let loaded = load(text.as_bytes(), "project.yaml");
            let mut found = loaded.diagnostics;
            if matches!(kind, ExampleKind::ResolveFail | ExampleKind::ResolveGood) {
                match &loaded.project {
                    Some(project) => found.extend(resolve(project, &world::registry(), &world::tree())),
                    None => wrong += &format!("{code}: {kind:?}: does not load\n"),
                }
            }
            let reported = found.iter().any(|d| d.code.0 == code);
            let broken = found.iter().any(|d| d.severity == Severity::Error);
            if NOT_YET.contains(&code) {
                assert!(!reported, "{code} is there now: take it off the list");
                continue;
            }
            let fine = match kind {
                ExampleKind::Fail | ExampleKind::ResolveFail => reported,
                ExampleKind::Good | ExampleKind::ResolveGood => !reported && !broken,
                ExampleKind::Text => continue,
            };
            if !fine {
                wrong += &format!("{code}: {kind:?} gives {}\n", list(&found));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

fn list(found: &[Diagnostic]) -> String {
    let texts: Vec<String> = found.iter().map(|d| format!("{} {:?}: {}", d.code.0, d.severity, d.message)).collect();
    if texts.is_empty() { "nothing".to_owned() } else { texts.join("; ") }
}

#[test]
fn a_page_is_found_in_either_case_and_printed_within_the_width() {
    assert_eq!(explain::page("p404").map(|p| p.code), Some("P404"));
    assert_eq!(explain::page("P999"), None);
    let options = HumanOptions { width: 60, ..HumanOptions::default() };
    let text = explain::print(&explain::page("P515").unwrap(), &options);
    assert!(text.starts_with("P515: an output path leads out of the study\nerror\n\n`..` goes up a folder."), "{text}");
    assert!(text.contains("\nReported:\n\n    version: 5\n"), "{text}");
    assert!(text.contains("\nCorrected:\n\n    version: 5\n"), "{text}");
    assert!(text.lines().all(|l| l.chars().count() <= 60), "{text}");
}
