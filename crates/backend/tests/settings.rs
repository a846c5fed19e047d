//! Settings: cases are files of `tests/settings/`. One that is refused begins with `# error: LINE: WORDS`.
//! Spec jobs.md 23.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]

use std::path::{Path, PathBuf};

use backend::settings::{BadSettings, Profile, Settings};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/settings")
}

#[test]
fn what_is_refused_is_refused_with_file_and_line() {
    let mut refused = 0;
    for file in std::fs::read_dir(folder()).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let Some(expected) = text.lines().next().and_then(|first| first.strip_prefix("# error: ")) else {
            Settings::read(&path).unwrap();
            continue;
        };
        let (expected_line, words) = expected.split_once(": ").unwrap_or((expected.trim_end_matches(':'), ""));
        match Settings::read(&path) {
            Err(BadSettings::At { line, what, path: named }) => {
                assert_eq!(line.to_string(), expected_line, "{}: {what}", path.display());
                assert!(what.contains(words), "{}: {what}", path.display());
                assert_eq!(named, path);
            }
            other => panic!("{}: {other:?}", path.display()),
        }
        refused += 1;
    }
    assert!(refused >= 20);
}

#[test]
fn what_is_read() {
    let full = Settings::read(&folder().join("full.toml")).unwrap();
    assert_eq!(full.slug.as_str(), "north");
    assert_eq!(full.site.url, "https://jobs.example.org:8443");
    assert_eq!(full.site.address, Some("192.0.2.7".parse().unwrap()));
    assert_eq!((full.site.minimal_gauges, full.site.offline_start), (true, 24 * 3600));
    assert_eq!(full.folders.state, folder().join("state"));
    assert_eq!(full.folders.high, Path::new("/srv/high"));
    assert_eq!((full.workers.max, full.workers.db), (12, 6));
    assert_eq!((full.limits.run_time, full.limits.request_check, full.limits.memory_mb), (86_400, 7_200, 8_192));
    assert_eq!(full.permissions.len(), 2);
    // 2027-12-31 is day 21,183 after 1970-01-01: 57 years with 14 leap days, then 364.
    assert_eq!(full.permissions[0].ends_at.unwrap().microseconds(), 21_183 * 86_400 * 1_000_000);
    let allowed = |url: &str| full.repositories.allow.check(&url.parse().unwrap()).is_ok();
    let origin = full.actions.origin.unwrap();
    assert!(origin.has("count-rows", "https://code.example.org/our-actions/count-rows"));
    assert_eq!(full.actions.names, Some(["count-rows".to_owned()].into()));
    assert!(allowed("https://code.example.org/northfield/winter") && !allowed("https://code.example.org/other/winter"));
}

#[test]
fn production_refuses_everything_at_once() {
    let path = folder().join("production_on_dummy_data.toml");
    let words = Settings::read(&path).unwrap_err().to_string();
    let lines: Vec<&str> = words.lines().collect();
    assert_eq!(lines.len(), 3, "{words}");
    for (line, (number, what)) in
        lines.iter().zip([(5, "dummy"), (6, "native environments"), (18, "local repositories")])
    {
        assert!(line.starts_with(&format!("{}:{number}: ", path.display())) && line.contains(what), "{line}");
    }
}

/// The defaults of spec jobs.md 23 and protocol.md 11.
#[test]
fn what_is_not_said() {
    let least = Settings::read(&folder().join("least.toml")).unwrap();
    assert_eq!(least.profile, Profile::Demo);
    assert_eq!((least.workers.max, least.workers.db), (10, 10));
    assert_eq!((least.limits.cpus, least.limits.memory_mb), (2, 4096));
    assert_eq!((least.limits.run_time, least.limits.request_check), (7 * 86_400, 86_400));
    assert_eq!((least.site.minimal_gauges, least.site.offline_start), (false, 72 * 3600));
    assert!(!least.repositories.local && least.permissions.is_empty());
}

#[test]
fn a_file_that_is_not_there() {
    let bad = Settings::read(&folder().join("nowhere.toml")).unwrap_err();
    assert!(bad.to_string().contains("nowhere.toml"), "{bad}");
}
