//! The text of a manifest byte for byte, and how it changes with results.
//! The expected text follows the key table of spec jobs.md 14.

use pipeline::PrivacyLevel;

use super::*;
use crate::ObjectId;
use crate::collect::CollectedOutput;

fn shared(action: &str, job: &str) -> Shared {
    Shared {
        job_id: job.to_owned(),
        job_request: "5i42i3xk2j47qlg6".to_owned(),
        action: action.to_owned(),
        user: "someone".to_owned(),
        repo: Some("https://example.org/study".to_owned()),
        commit: None,
        timestamp: 1_700_000_000.25,
        cloister: Extra {
            run_key: "00".repeat(32),
            image: "host:abc".to_owned(),
            job_state: "succeeded".to_owned(),
            pins: vec![Pin { action: "extract".to_owned(), job: "j0".to_owned() }],
            program: "0.1.0".to_owned(),
            ..Extra::default()
        },
    }
}

fn output(path: &str, excluded: Option<&str>) -> CollectedOutput {
    CollectedOutput {
        path: path.to_owned(),
        level: PrivacyLevel::ModeratelySensitive,
        size: 5,
        object: ObjectId([0xab; 32]),
        mtime_ns: 0,
        excluded: excluded.map(str::to_owned),
        row_count: Some(2),
        col_count: None,
    }
}

fn entries(action: &str, job: &str, paths: &[&str]) -> Vec<(String, ManifestEntry)> {
    let shared = shared(action, job);
    paths.iter().map(|p| ((*p).to_owned(), ManifestEntry::new(&output(p, None), &shared))).collect()
}

#[test]
fn the_text_is_todays_with_ours_last() {
    let entry = ManifestEntry::new(&output("output/é.csv", Some("too long")), &shared("tidy", "54fy7iwzg25g3bvp"));
    let text = render("ws", &[("output/é.csv".to_owned(), entry)]).unwrap();
    let expected = r#"{
  "workspace": "ws",
  "repo": null,
  "outputs": {
    "output/\u00e9.csv": {
      "level": "moderately_sensitive",
      "job_id": "54fy7iwzg25g3bvp",
      "job_request": "5i42i3xk2j47qlg6",
      "action": "tidy",
      "user": "someone",
      "repo": "https://example.org/study",
      "commit": null,
      "size": 5,
      "timestamp": 1700000000.25,
      "content_hash": "abababababababababababababababababababababababababababababababab",
      "excluded": true,
      "message": "too long",
      "row_count": 2,
      "col_count": null,
      "cloister": {
        "run_key": "0000000000000000000000000000000000000000000000000000000000000000",
        "image": "host:abc",
        "job_state": "succeeded",
        "pins": [
          {
            "action": "extract",
            "job": "j0"
          }
        ],
        "warnings": [],
        "program": "0.1.0"
      }
    }
  },
  "cloister": {
    "format": 1
  }
}"#;
    assert_eq!(text, expected);
    assert_eq!(Manifest::parse(&text).unwrap().render().unwrap(), expected);
}

#[test]
fn results_flag_what_they_did_not_produce() {
    let all: BTreeSet<String> = ["a".to_owned(), "b".to_owned()].into();
    let mut manifest = Manifest::new("ws");
    let mut record = |action: &str, job: &str, paths: &[&str], actions| {
        let outputs = entries(action, job, paths);
        manifest.record(&JobResult { action, outputs: &outputs, actions }).unwrap();
        manifest.clone()
    };
    let flags = |m: &Manifest, path: &str| {
        let entry = m.entry(path).unwrap();
        assert_eq!(entry.keys().next_back().unwrap(), "cloister", "ours stays last");
        let flag = |key| entry.get(key).and_then(Value::as_bool);
        (flag("out_of_date_action"), flag("out_of_date_output"))
    };
    let first = record("a", "1", &["z", "y", "x"], Some(&all));
    assert_eq!(flags(&first, "z"), (None, None));
    let second = record("b", "2", &["y", "w"], Some(&all));
    assert_eq!(second.entry("y").unwrap()["action"], "b", "a path belongs to the action that wrote it last");
    assert_eq!(flags(&second, "z"), (Some(false), None));
    let third = record("a", "3", &["z"], None);
    assert_eq!((flags(&third, "z"), flags(&third, "x")), ((None, None), (Some(false), Some(true))));
    assert_eq!(flags(&third, "y"), (None, None), "y is no longer a's");
    let only_b: BTreeSet<String> = ["b".to_owned()].into();
    let fourth = record("b", "4", &["w"], Some(&only_b));
    assert_eq!((flags(&fourth, "z"), flags(&fourth, "x")), ((Some(true), None), (Some(true), Some(true))));
    let fifth = record("a", "5", &["x"], Some(&all));
    assert_eq!(flags(&fifth, "x"), (None, None));
    let order: Vec<&String> = fifth.top["outputs"].as_object().unwrap().keys().collect();
    assert_eq!(order, ["z", "y", "x", "w"], "known paths keep their place");
}

#[test]
fn todays_files_are_read_and_unknown_keys_kept() {
    let text = r#"{
  "workspace": "w",
  "repo": null,
  "outputs": {
    "a": {
      "level": "highly_sensitive",
      "timestamp": 1670932531.0486407,
      "novel": [
        1
      ]
    }
  }
}"#;
    let manifest = Manifest::parse(text).unwrap();
    assert!(manifest.render().unwrap().starts_with(text.trim_end_matches("\n}")));
    for bad in ["", "[]", "{\"outputs\": []}", "{\"outputs\": {\"a\": 1}}"] {
        assert!(Manifest::parse(bad).is_err(), "{bad}");
    }
}
