//! The page for every case file of `pipeline`: each fault is there with its code, line and column.

use std::fmt::Write as _;
use std::sync::Arc;

use ui::html::Html;

use super::*;
use crate::form::ground::Ground;
use crate::mirror::Head;

pub(super) fn ground() -> Ground {
    Ground {
        workspace: 1,
        name: "winter-chest".into(),
        branch: "main".into(),
        notify_default: false,
        archived_at: None,
        project: 1,
        slug: "winter-pressures".into(),
        number: None,
        project_name: "Winter pressures".into(),
        project_status: "ongoing".into(),
        repo: "https://git.example.org/northfield/winter-chest".into(),
    }
}

/// The page of a commit that has only this project.yaml.
fn page(yaml: &[u8]) -> String {
    let study = Arc::new(Study::of_yaml(yaml));
    let head = Some(Head { commit: study.commit, at: 0, outdated: None });
    let resolved = Resolved { head, study };
    let (ground, permits, wish) = (ground(), Permits::default(), Wish::default());
    let shown = Shown {
        ground: &ground,
        choices: &[],
        records: &[],
        permits: &permits,
        resolved: &resolved,
        wish: &wish,
        filter: "",
        csrf: "token",
        wrong: &[],
        expected: None,
        made: None,
        from: None,
        gauges: None,
        now: 0,
    };
    Html::of(&shown.page()).into_string()
}

#[test]
fn every_fault_of_every_case_is_on_the_page_with_its_place() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../pipeline/cases");
    let (mut files, mut faults, mut missing) = (0, 0, String::new());
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        files += 1;
        let bytes = std::fs::read(&path).unwrap();
        let html = page(&bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let mut blocks = false;
        for line in text.lines().filter_map(|line| line.strip_prefix("# expect: ")) {
            let words: Vec<&str> = line.split(' ').collect();
            let [code, place, severity] = words.as_slice() else { continue };
            faults += 1;
            blocks |= *severity == "E";
            let wanted = match place.split_once(':') {
                Some((line, column)) => format!("<code>{code}</code> · line {line}, column {column}</p>"),
                None => format!("<code>{code}</code></p>"),
            };
            if !html.contains(&wanted) {
                writeln!(missing, "{}: {wanted}", path.display()).unwrap();
            }
        }
        assert_eq!(html.contains("project.yaml has to be mended first"), blocks, "{}", path.display());
        assert_eq!(html.contains("<form id=run"), !blocks, "{}", path.display());
    }
    assert!(missing.is_empty(), "{missing}");
    assert!(files > 300 && faults > 300, "{files} files, {faults} faults");
}

#[test]
fn what_a_study_calls_its_actions_is_shown_and_never_acts() {
    let odd = "a<script>alert(1)</script>\u{202e}b";
    let yaml = format!(
        "version: '4.0'\nactions:\n  \"{odd}\":\n    run: python:v2 a.py\n    outputs:\n      highly_sensitive:\n        x: out/x.csv\n"
    );
    for html in [page(yaml.as_bytes()), page(yaml.replace("out/x.csv", "../<img src=x onerror=y>.csv").as_bytes())] {
        assert!(!html.contains("<script>") && !html.contains("<img") && !html.contains('\u{202e}'), "{html}");
    }
}

#[test]
fn how_busy_a_backend_is_stands_in_words() {
    let gauges: Gauges = serde_json::from_str(
        r#"{"at":"2027-03-04T09:15:02.104000Z","boot":"01KAZ7Q0V5T9M3XJ2C8R4W6YDE","mode":"open","version":"1.4.0",
            "pools":[{"pool":"db","capacity":6,"running":5,"waiting":2,"weight_running":6},
                     {"pool":"other","capacity":15,"running":3,"waiting":1,"weight_running":3}],
            "directive_cursor":1,"fact_head":{"epoch":1,"seq":1}}"#,
    )
    .unwrap();
    assert_eq!(
        pools(&gauges),
        [
            "Workers that read the database: 6 of 6 places taken, 2 jobs wait.",
            "Other workers: 3 of 15 places taken, 1 job waits."
        ]
    );
    let minimal = Gauges { pools: None, ..gauges };
    assert!(pools(&minimal).is_empty());
}
