//! Which names are asked about, and where. What the answers are is tested over real repositories, by laptop and backend.

use std::collections::BTreeMap;

use pipeline::{ActionName, load};
use repositories::LocalRepos;

use super::*;

const STUDY: &str = "version: 5
actions:
  a: {run: one:v1, outputs: {highly_sensitive: {x: output/a.csv}}}
  b: {run: python:v2 b.py, needs: [a], outputs: {highly_sensitive: {x: output/b.csv}}}
  c: {run: two:v1 x, needs: [b], outputs: {highly_sensitive: {x: output/c.csv}}}
  d: {run: two:v2 x, outputs: {highly_sensitive: {x: output/d.csv}}}
  e: {run: two:v1 y, outputs: {highly_sensitive: {x: output/e.csv}}}
";

#[test]
fn what_a_request_can_come_to_is_asked_about_once() {
    let project = load(STUDY.as_bytes(), "project.yaml").project.unwrap();
    let registry = runtimes::catalogue();
    let of = |names: &[&str]| {
        let names: Vec<_> = names.iter().map(|name| ActionName::new(*name)).collect();
        wanted(&project, &names, &registry).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(of(&["b"]), ["one:v1"]);
    assert_eq!(of(&["c", "e"]), ["one:v1", "two:v1"]);
    assert_eq!(of(&["d", "nobody"]), ["two:v2"]);
    assert_eq!(of(&["run_all"]), ["one:v1", "two:v1", "two:v2"]);
    assert!(of(&[]).is_empty());
}

#[test]
fn one_place_and_one_organisation() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().display().to_string();
    let address = |url: &str, name: &str| {
        let origin = Origin::new(url, "our-actions", LocalRepos::Allowed).unwrap();
        origin.of(name).map(|repo| repo.to_string())
    };
    assert_eq!(address("https://Code.example.org/", "count").unwrap(), "https://code.example.org/our-actions/count");
    assert_eq!(address("https://h:8443/git", "count").unwrap(), "https://h:8443/git/our-actions/count");
    assert_eq!(address(&here, "count").unwrap(), format!("{here}/count"));
    assert_eq!(address(&format!("file://{here}/"), "count").unwrap(), format!("{here}/count"));
    std::fs::create_dir(folder.path().join("our-actions")).unwrap();
    assert_eq!(address(&here, "count").unwrap(), format!("{here}/our-actions/count"));
    for name in ["../count", "a/b", "", "--upload-pack=x", ".git", "A"] {
        assert!(address(&here, name).is_err() && address("https://h", name).is_err(), "{name}");
    }
    for (url, organisation) in [
        ("http://h", "o"),
        ("https://u@h", "o"),
        ("https://h/../x", "o"),
        ("h", "o"),
        ("", "o"),
        ("/srv/../x", "o"),
        ("https://*", "o"),
        ("https://h", ""),
        ("https://h", ".."),
        ("https://h", "a/b"),
        ("https://h", "*"),
        ("ext::sh -c id", "o"),
    ] {
        assert!(Origin::new(url, organisation, LocalRepos::Allowed).is_err(), "{url} {organisation}");
    }
    let refused = Origin::new(&here, "o", LocalRepos::Refused).unwrap_err().to_string();
    assert!(refused.contains("folders of this machine are refused here"), "{refused}");
}

#[test]
fn a_lock_file_is_read_as_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(read_lock(folder.path()).unwrap(), Pins::new());
    let reference = |text: &str| {
        let (name, tag) = text.split_once(':').unwrap();
        RuntimeRef { name: name.into(), tag: tag.into() }
    };
    let commit = "1d5f2671d5f2671d5f2671d5f2671d5f26712345";
    let text = format!(
        r#"{{"schema": "cloister.actions/1", "actions": {{
            "one:v1": {{"repository": "https://h/o/one", "commit": "{commit}"}},
            "old:v1": {{"repository": "https://h/o/old", "commit": "{commit}"}}}}}}"#
    );
    std::fs::write(folder.path().join(LOCK_FILE), text).unwrap();
    let pins = read_lock(folder.path()).unwrap();
    let expected = |names: &[&str]| -> Pins {
        let pin = |name: &&str| {
            let address = format!("https://h/o/{}", name.split_once(':').unwrap().0);
            (reference(name), (address, commit.parse().unwrap()))
        };
        names.iter().map(pin).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(pins, expected(&["old:v1", "one:v1"]));
    let none: [&Found; 0] = [];
    let all = [reference("one:v1"), reference("old:v1")].into();
    assert!(!write_lock(folder.path(), &pins, none, &all).unwrap(), "nothing has changed");
    assert!(write_lock(folder.path(), &pins, none, &[reference("one:v1")].into()).unwrap());
    assert_eq!(read_lock(folder.path()).unwrap(), expected(&["one:v1"]));
}
