//! One raw tree object, as it is: mode, name and object of each entry, with every rule of names.
//! Spec jobs.md 20. git's own listing would hide what a hostile tree holds.

use std::collections::{HashMap, HashSet};

use crate::BadTree;
use crate::objects::Oid;

use super::names::fault_of;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    File { executable: bool },
    Link,
    Folder,
    Submodule,
}

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) mode: Mode,
    pub(crate) name: Vec<u8>,
    pub(crate) id: Oid,
}

/// Why a tree object is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// A bad entry, by its name (empty: the folder itself).
    Bad(Vec<u8>, BadTree),
    /// More entries than allowed.
    TooMany,
}

/// Parses at most `limit` entries.
pub(crate) fn parse(mut raw: &[u8], limit: u64) -> Result<Vec<Entry>, Refused> {
    let mut entries: Vec<Entry> = Vec::new();
    let malformed = || Refused::Bad(Vec::new(), BadTree::Malformed);
    while !raw.is_empty() {
        if entries.len() as u64 >= limit {
            return Err(Refused::TooMany);
        }
        let space = raw.iter().take(8).position(|b| *b == b' ').ok_or_else(malformed)?;
        let number = octal(&raw[..space]).ok_or_else(malformed)?;
        let rest = &raw[space + 1..];
        let nul = rest.iter().position(|b| *b == 0).ok_or_else(malformed)?;
        let name = &rest[..nul];
        let id = rest.get(nul + 1..nul + 21).and_then(|id| id.try_into().ok()).map(Oid).ok_or_else(malformed)?;
        let bad = |why| Refused::Bad(name.to_vec(), why);
        if let Some(why) = fault_of(name) {
            return Err(bad(why));
        }
        let mode = mode_of(number).ok_or_else(|| bad(BadTree::Mode(number)))?;
        entries.push(Entry { mode, name: name.to_vec(), id });
        raw = &rest[nul + 21..];
    }
    check_twins(&entries)?;
    Ok(entries)
}

fn octal(digits: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|b| (b'0'..=b'7').contains(&b)))?;
    u32::from_str_radix(text, 8).ok()
}

/// As git reads modes: of a regular file only the owner's right to execute counts, so no set-uid bit gets through.
fn mode_of(number: u32) -> Option<Mode> {
    match number & 0o170_000 {
        0o100_000 => Some(Mode::File { executable: number & 0o100 != 0 }),
        0o120_000 => Some(Mode::Link),
        0o040_000 => Some(Mode::Folder),
        0o160_000 => Some(Mode::Submodule),
        _ => None,
    }
}

/// git's order puts a file and a folder of one name apart, and a hostile tree need not be in order.
fn check_twins(entries: &[Entry]) -> Result<(), Refused> {
    let mut seen = HashSet::with_capacity(entries.len());
    if let Some(twice) = entries.iter().find(|entry| !seen.insert(entry.name.as_slice())) {
        return Err(Refused::Bad(twice.name.clone(), BadTree::Twice));
    }
    if !entries.iter().any(|entry| entry.mode == Mode::Link) {
        return Ok(());
    }
    let mut folded: HashMap<String, bool> = HashMap::with_capacity(entries.len());
    for entry in entries {
        let link = entry.mode == Mode::Link;
        let other = folded.insert(String::from_utf8_lossy(&entry.name).to_lowercase(), link);
        if other.is_some_and(|other| other || link) {
            return Err(Refused::Bad(entry.name.clone(), BadTree::CaseTwin));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn raw(entries: &[(&str, &str)]) -> Vec<u8> {
        let mut out = Vec::new();
        for (mode, name) in entries {
            out.extend_from_slice(format!("{mode} {name}\0").as_bytes());
            out.extend_from_slice(&[7; 20]);
        }
        out
    }
    fn refused(entries: &[(&str, &str)]) -> Refused {
        parse(&raw(entries), 100).unwrap_err()
    }

    #[test]
    fn modes_are_read_as_git_reads_them() {
        let modes = ["100644", "100755", "100664", "104755", "102644", "120000", "40000", "040000", "160000"];
        let named: Vec<(&str, &str)> =
            modes.iter().zip(["a", "b", "c", "d", "e", "f", "g", "h", "i"]).map(|(m, n)| (*m, n)).collect();
        let read: Vec<Mode> = parse(&raw(&named), 100).unwrap().iter().map(|entry| entry.mode).collect();
        let (plain, executable) = (Mode::File { executable: false }, Mode::File { executable: true });
        assert_eq!(
            read,
            [plain, executable, plain, executable, plain, Mode::Link, Mode::Folder, Mode::Folder, Mode::Submodule]
        );
        for mode in ["060000", "020000", "010000", "140000", "0"] {
            assert!(matches!(refused(&[(mode, "x")]), Refused::Bad(_, BadTree::Mode(_))), "{mode}");
        }
        for mode in ["", "10064x", "100644100644", "-1", "+7"] {
            assert_eq!(refused(&[(mode, "x")]), Refused::Bad(vec![], BadTree::Malformed), "{mode}");
        }
    }

    #[test]
    fn names_stand_once() {
        let twice = refused(&[("100644", "a"), ("100644", "a.b"), ("40000", "a")]);
        assert_eq!(twice, Refused::Bad(b"a".to_vec(), BadTree::Twice));
        let twin = refused(&[("120000", "A"), ("40000", "a")]);
        assert_eq!(twin, Refused::Bad(b"a".to_vec(), BadTree::CaseTwin));
        let twin = refused(&[("40000", "D"), ("120000", "d")]);
        assert_eq!(twin, Refused::Bad(b"d".to_vec(), BadTree::CaseTwin));
        assert_eq!(parse(&raw(&[("100644", "README"), ("100644", "readme")]), 100).unwrap().len(), 2);
        let dot_git = refused(&[("100644", "a"), ("40000", ".Git")]);
        assert_eq!(dot_git, Refused::Bad(b".Git".to_vec(), BadTree::DotGit));
    }

    #[test]
    fn the_limit_is_exact_and_cut_trees_are_malformed() {
        let three = raw(&[("100644", "a"), ("100644", "b"), ("100644", "c")]);
        assert_eq!(parse(&three, 3).unwrap().len(), 3);
        assert_eq!(parse(&three, 2).unwrap_err(), Refused::TooMany);
        assert!(parse(&[], 0).unwrap().is_empty());
        for cut in 1..three.len() {
            match parse(&three[..cut], 100) {
                Ok(entries) => assert_eq!(cut, entries.len() * (three.len() / 3)),
                Err(error) => assert_eq!(error, Refused::Bad(vec![], BadTree::Malformed)),
            }
        }
    }

    /// Raw trees that are nearly right: real entries with odd names and modes, cut or with bytes changed.
    fn nearly() -> impl Strategy<Value = Vec<u8>> {
        let mode = prop_oneof!["100644", "100755", "120000", "40000", "160000", "[0-7]{1,6}"];
        let name = prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..6),
            "[.gGiItT~1 ]{1,6}".prop_map(String::into_bytes),
            "[ab/.\u{200c}]{0,4}".prop_map(String::into_bytes),
        ];
        let entry = (mode, name, any::<[u8; 20]>());
        (proptest::collection::vec(entry, 0..6), any::<prop::sample::Index>(), any::<Option<u8>>()).prop_map(
            |(entries, at, change)| {
                let mut raw: Vec<u8> = Vec::new();
                for (mode, name, id) in entries {
                    raw.extend([mode.as_bytes(), b" ", &name, b"\0", &id].concat());
                }
                if let (Some(byte), false) = (change, raw.is_empty()) {
                    let at = at.index(raw.len());
                    raw[at] = byte;
                    raw.truncate(at + 60);
                }
                raw
            },
        )
    }

    proptest! {
        #[test]
        fn whatever_is_taken_can_be_written_and_says_all(
            raw in prop_oneof![nearly(), proptest::collection::vec(any::<u8>(), 0..100)]
        ) {
            let Ok(entries) = parse(&raw, 1000) else { return Ok(()) };
            let mut names = HashSet::new();
            let mut length = 0;
            for entry in &entries {
                let text = String::from_utf8_lossy(&entry.name).to_lowercase();
                prop_assert!(!entry.name.is_empty() && !entry.name.contains(&b'/') && !entry.name.contains(&0));
                prop_assert!(entry.name != b"." && entry.name != b".." && text != ".git" && text != "git~1");
                prop_assert!(names.insert(entry.name.clone()));
                length += entry.name.len() + 22;
            }
            // Besides names and ids there are only modes: at most seven digits each.
            prop_assert!((length..=length + 7 * entries.len()).contains(&raw.len()));
        }
    }
}
