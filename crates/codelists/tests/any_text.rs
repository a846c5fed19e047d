//! The formats against any text: nothing panics, and what is accepted keeps the rules of spec cli.md 7.1.

#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use std::collections::BTreeSet;

use codelists::{Id, Listing, Manifest, Recorded, Sha, Site};
use proptest::prelude::*;

/// Lines that are ids, nearly ids, or anything.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        "(org|user|a-b)/[a-c]{1,2}/[12]",
        "user/[a-c]/[a-c]/[12]/?",
        "[ \t]{0,2}#?[a-z/.~%-]{0,12}[ \t/]{0,2}",
        any::<String>(),
    ]
}

/// The rules once more, in a plain way: which lines are at fault, and by which code.
fn naive(text: &str) -> Vec<(usize, &'static str)> {
    let mut faults = Vec::new();
    let (mut lists, mut files): (Vec<(String, String)>, Vec<String>) = (Vec::new(), Vec::new());
    let plain = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n").replace('\r', "\n");
    for (n, line) in plain.split('\n').enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let parts: Vec<&str> = line.trim_end_matches('/').split('/').collect();
        let word =
            |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
        let owners = &parts[..parts.len() - 1];
        let version = parts[parts.len() - 1];
        let shape = match parts.len() {
            3 => parts[0] != "user",
            4 => parts[0] == "user",
            _ => false,
        };
        let good = ![".", "..", ""].contains(&version) && !version.chars().any(char::is_control) && line.len() <= 500;
        if !shape || !owners.iter().all(word) || !good {
            faults.push((n + 1, "C102"));
            continue;
        }
        let (list, file) = (owners.join("/"), owners.join("-"));
        match lists.iter().find(|(known, _)| *known == list) {
            Some((_, known)) if known == version => faults.push((n + 1, "C103")),
            Some(_) => faults.push((n + 1, "C104")),
            None if files.contains(&file) => faults.push((n + 1, "C105")),
            None => {
                lists.push((list, version.to_owned()));
                files.push(file);
            }
        }
    }
    faults
}

proptest! {
    #[test]
    fn a_list_is_judged_as_the_rules_say(lines in proptest::collection::vec(line(), 0..12), end in "\n|\r\n|\r") {
        let text = lines.join(&end);
        let found = match Listing::parse(&text) {
            Ok(listing) => {
                let files: BTreeSet<String> = listing.ids().map(Id::file_name).collect();
                prop_assert_eq!(files.len(), listing.entries.len());
                Vec::new()
            }
            Err(faults) => faults.iter().map(|fault| (fault.line().unwrap(), fault.code())).collect(),
        };
        prop_assert_eq!(found, naive(&text), "{:?}", text);
    }

    #[test]
    fn an_id_never_leaves_its_folder_or_its_place_in_an_address(text in line()) {
        let Ok(id) = Id::parse(&text) else { return Ok(()) };
        let file = id.file_name();
        prop_assert!(file.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) && file.matches('.').count() == 1);
        let path = id.download_path();
        prop_assert!(path.is_ascii() && !path.contains(['?', '#', ' ', '\\']) && !path.split('/').any(|p| p == ".."));
        prop_assert_eq!(Id::parse(&id.to_string()), Ok(id));
    }

    #[test]
    fn addresses_and_manifests_of_any_text_never_panic(text in any::<String>(), bytes in any::<Vec<u8>>()) {
        let site = Site::new("https://a.example", None).unwrap();
        let _ = site.id(&text);
        let _ = site.id(&format!("https://a.example/codelist/{text}"));
        let _ = Site::new(&text, Some(&text));
        let _ = Manifest::parse(&bytes);
        let _ = Manifest::parse(text.as_bytes());
    }

    #[test]
    fn a_manifest_is_read_as_it_was_written(ids in proptest::collection::btree_set("org/[a-z]{1,3}", 0..6), version in "[!-~é😀]{1,8}", at in any::<String>()) {
        let version = version.replace('/', "x").replace('.', "y");
        let files: Vec<Recorded> = ids.iter().map(|list| Recorded {
            id: Id::parse(&format!("{list}/{version}")).unwrap(),
            downloaded_at: at.clone(),
            sha: Sha::of(list.as_bytes()),
        }).collect();
        let manifest = Manifest { files };
        let bytes = manifest.to_bytes();
        let printable = bytes.iter().all(|b| (b' '..=b'~').contains(b) || *b == b'\n');
        prop_assert!(printable && bytes.last() == Some(&125), "ends with its brace");
        prop_assert_eq!(Manifest::parse(&bytes), Ok(manifest));
    }
}
