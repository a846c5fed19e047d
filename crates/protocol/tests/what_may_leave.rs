//! What may leave, and nothing else: every field of every message stands in a list that people read.
//! Spec protocol.md 9. A new field, a wider text or a longer list is a difference in `leaves/*.txt`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;

use common::{allowed, golden, kinds, leaves, pointers, room};
use protocol::kinds::Way;
use protocol::shape::Unknown;
use serde_json::{Value, json};

/// The list as it is now, one line for each place.
fn list(way: Way) -> String {
    let mut text = String::new();
    for kind in kinds().iter().filter(|kind| kind.way == way) {
        let mut places = BTreeMap::new();
        allowed(&kind.schema, "", &mut places);
        for (place, what) in places {
            let what: Vec<String> = what.into_iter().collect();
            writeln!(text, "{} {place}: {}", kind.name, what.join(" | ")).unwrap();
        }
    }
    text
}

fn compare(file: &str, now: &str) {
    let path = room().join("leaves").join(file);
    let stored = fs::read_to_string(&path).unwrap_or_default();
    if stored != now {
        let beside = std::env::temp_dir().join(file);
        fs::write(&beside, now).unwrap();
        let new: Vec<&str> = now.lines().filter(|line| !stored.lines().any(|old| old == *line)).collect();
        let gone: Vec<&str> = stored.lines().filter(|line| !now.lines().any(|new| new == *line)).collect();
        panic!(
            "leaves/{file} is not what the types say.\nnew: {new:#?}\ngone: {gone:#?}\n\
             If each of these may be sent (spec protocol.md 9), write them into the list; all of it is in {}",
            beside.display()
        );
    }
}

#[test]
fn every_field_that_leaves_is_on_the_list() {
    compare("up.txt", &list(Way::Up));
}

#[test]
fn every_field_that_comes_in_is_on_the_list() {
    compare("down.txt", &list(Way::Down));
}

/// The golden messages use every place of the schemas: so the list, the schema and what is really written agree.
#[test]
fn golden_messages_have_every_field_that_is_allowed() {
    let golden = golden();
    for kind in kinds() {
        let mut places = BTreeMap::new();
        allowed(&kind.schema, "", &mut places);
        let mut used = BTreeSet::new();
        for body in &golden[&kind.name] {
            leaves(body, "", &mut used);
        }
        // Names that are keys: any name is the place `*`.
        let maps: Vec<String> =
            places.keys().filter_map(|p| p.split_once("/*name*").map(|(before, _)| format!("{before}/"))).collect();
        let used: BTreeSet<String> = used
            .into_iter()
            .map(|place| {
                let map = maps.iter().find(|map| place.starts_with(map.as_str()));
                map.map_or(place.clone(), |map| {
                    let rest = place[map.len()..].split_once('/').map(|(_, rest)| format!("/{rest}"));
                    format!("{map}*{}", rest.unwrap_or_default())
                })
            })
            .collect();
        let listed: BTreeSet<String> = places.into_keys().filter(|place| !place.contains("*name*")).collect();
        // An empty list shows nothing of its entries; it is another golden body's turn.
        assert_eq!(used, listed, "{}", kind.name);
    }
}

#[test]
fn golden_messages_use_every_code() {
    let golden = golden();
    for kind in kinds() {
        let mut places = BTreeMap::new();
        allowed(&kind.schema, "", &mut places);
        let text = serde_json::to_string(&golden[&kind.name]).unwrap();
        for (place, what) in places {
            // Codes shared with an order are used up by the goldens of the order itself.
            if place.contains("/order/") {
                continue;
            }
            for code in what.iter().filter(|w| w.starts_with('"')) {
                assert!(text.contains(code.as_str()), "{}{place}: {code} is in no golden message", kind.name);
            }
        }
    }
}

/// Texts that come out of study code, its files, its logs, its data or its surroundings.
const MARKS: [&str; 9] = [
    "/srv/high/output/patient 4711.csv",
    "Traceback (most recent call last):\n  ValueError: 4711",
    "SELECT * FROM Patient WHERE id = 4711",
    "mark-4711 <script>",
    "C:\\data\\4711",
    "db.internal.example:1433",
    "PASSWORD=4711!",
    "\u{1b}[31m4711",
    "4711 rows, mean 12.5 (CI 11-14)",
];

/// In every place of every message that leaves, every mark is refused, but where the list says that a text of public
/// code, of an order or of a person's sign-in stands.
#[test]
fn marks_have_no_place_to_go_in() {
    let golden = golden();
    let mut open = BTreeSet::new();
    for kind in kinds().iter().filter(|kind| kind.way == Way::Up) {
        for body in &golden[&kind.name] {
            let texts = pointers(body, |v| v.is_string() || v.is_number() || v.is_boolean() || v.is_null());
            for place in texts.iter().take(400) {
                for mark in MARKS {
                    let mut marked = body.clone();
                    *marked.pointer_mut(place).unwrap() = json!(mark);
                    if (kind.again)(&marked).is_ok_and(|again| again.to_string().contains("4711")) {
                        let place: Vec<&str> =
                            place.split('/').map(|p| if p.parse::<usize>().is_ok() { "[]" } else { p }).collect();
                        open.insert(format!("{}{}", kind.name, place.join("/")));
                    }
                }
            }
        }
    }
    let open: String = open.into_iter().map(|line| line + "\n").collect();
    compare("open.txt", &open);
}

#[test]
fn a_field_that_is_not_listed_is_refused_upwards_and_ignored_downwards() {
    let golden = golden();
    for kind in kinds() {
        for body in &golden[&kind.name] {
            let right = (kind.again)(body).unwrap();
            for place in pointers(body, Value::is_object).iter().take(60) {
                let mut more = body.clone();
                let object = more.pointer_mut(place).unwrap().as_object_mut().unwrap();
                object.insert("note".into(), json!({"text": "mark-4711"}));
                let read = (kind.again)(&more);
                match kind.unknown {
                    Unknown::Refused => assert!(read.is_err(), "{}{place} takes an unknown field", kind.name),
                    // Objects whose keys are names, and enums with one key, take no other key at all.
                    Unknown::Ignored => {
                        assert!(read.as_ref().is_ok_and(|r| *r == right) || read.is_err(), "{}{place}", kind.name);
                        assert!(!format!("{read:?}").contains("4711"), "{}{place}", kind.name);
                        if place.is_empty() {
                            assert!(read.is_ok(), "{}: a newer side may say more", kind.name);
                        }
                    }
                }
            }
        }
    }
}
