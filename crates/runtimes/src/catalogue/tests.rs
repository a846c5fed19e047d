//! The verdicts on tags, from `cases.txt`, and the shape of the registry.

use pipeline::{RuntimeKind, RuntimeRef, TagStatus};
use proptest::prelude::*;

use super::{ENTRIES, catalogue, find, settle};

#[test]
fn tags_are_judged_as_listed() {
    let mut seen = 0;
    for line in include_str!("cases.txt").lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [name, tag, verdict, rest @ ..] = words.as_slice() else { panic!("bad case {line}") };
        let expected = match (*verdict, rest) {
            ("known", []) => TagStatus::Known,
            ("newer", [last]) => TagStatus::Newer { last_known: (*last).to_owned() },
            ("unknown", nearest) => TagStatus::Unknown { nearest: nearest.iter().map(|one| (*one).into()).collect() },
            _ => panic!("bad case {line}"),
        };
        assert_eq!((catalogue().runtimes[*name].tag)(tag), expected, "{line}");
        seen += 1;
    }
    assert!(seen > 40, "the cases were not read");
}

#[test]
fn kinds_and_latest() {
    let registry = catalogue();
    let of = |name: &str| (registry.runtimes[name].kind, registry.runtimes[name].latest.clone());
    assert_eq!(of("python"), (RuntimeKind::Platform, Some("v1".into())));
    assert_eq!(of("cohortextractor"), (RuntimeKind::Builtin, Some("v1".into())));
    assert_eq!(of("cohort-joiner"), (RuntimeKind::Builtin, None));
    assert_eq!(of("ehrql").0, RuntimeKind::Planned);
    assert_eq!(registry.runtimes.len(), ENTRIES.len());
    assert!(find("safetab").is_none());
}

#[test]
fn latest_and_dev_are_replaced() {
    let settled = |name: &str, tag: &str| settle(&RuntimeRef { name: name.into(), tag: tag.into() }).tag;
    assert_eq!(settled("python", "latest"), "v1");
    assert_eq!(settled("python", "dev"), "v2");
    assert_eq!(settled("deciles-charts", "latest"), "v0.0.47");
    assert_eq!(settled("r", "v2"), "v2");
    assert_eq!(settled("elsewhere", "latest"), "latest");
}

#[test]
fn whatever_a_name_settles_to_is_known() {
    for entry in ENTRIES {
        for tag in ["latest", "dev"] {
            assert_eq!(entry.judge(&entry.settle(tag)), TagStatus::Known, "{}:{tag}", entry.name);
        }
    }
}

proptest! {
    #[test]
    fn any_text_gets_a_verdict_and_every_suggestion_exists(tag in "(v?[0-9.]{0,8}|\\PC{0,12})") {
        for entry in ENTRIES {
            if let TagStatus::Unknown { nearest } = entry.judge(&tag) {
                prop_assert!((1..=3).contains(&nearest.len()));
                for one in nearest {
                    prop_assert_eq!(entry.judge(&one), TagStatus::Known);
                }
            }
        }
    }
}
