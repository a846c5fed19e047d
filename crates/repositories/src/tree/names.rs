//! Which names of a tree no folder may hold: git's own folder in every disguise, and names that are paths.
//! Spec jobs.md 20, sandbox.md 13 row 41.

use crate::BadTree;

/// Longest name of a file on the systems we write to, in bytes.
const LONGEST: usize = 255;

/// What is wrong with a name, if anything is.
pub(super) fn fault_of(name: &[u8]) -> Option<BadTree> {
    if matches!(name, b"" | b"." | b"..") || name.contains(&b'/') || name.contains(&0) {
        Some(BadTree::Name)
    } else if name.len() > LONGEST {
        Some(BadTree::LongName)
    } else if is_dot_git(name) {
        Some(BadTree::DotGit)
    } else {
        None
    }
}

/// `.git` in any case; what Windows takes for it (`git~1`, `.git.`, `.git `, `.git::$DATA`, `.git\x`); what a Mac takes
/// for it (ignorable characters anywhere). git's own check refuses the same.
fn is_dot_git(name: &[u8]) -> bool {
    let text = String::from_utf8_lossy(name);
    let plain: String = text.chars().filter(|c| !ignorable(*c)).collect();
    if plain.eq_ignore_ascii_case(".git") {
        return true;
    }
    let first = text.split(['\\', ':']).next().unwrap_or_default();
    let first = first.trim_end_matches([' ', '.']);
    first.eq_ignore_ascii_case(".git") || first.eq_ignore_ascii_case("git~1")
}

/// Characters that HFS+ does not see.
fn ignorable(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disguises_of_git_are_seen() {
        for name in [
            ".git",
            ".GIT",
            ".GiT",
            "git~1",
            "GIT~1",
            ".git ",
            ".git.",
            ".git . .",
            ".git::$INDEX_ALLOCATION",
            ".git:x",
            ".git\\config",
            ".g\u{200c}it",
            "\u{feff}.git",
            ".gi\u{202e}T",
        ] {
            assert_eq!(fault_of(name.as_bytes()), Some(BadTree::DotGit), "{name:?}");
        }
        for name in [
            ".gitignore",
            ".gitattributes",
            ".gitmodules",
            ".github",
            "git",
            ".git2",
            "x.git",
            "git~10",
            "...",
            ".gitkeep",
            "a b",
            "-rf",
            "a\\b",
            "con",
            "é",
            "a\nb",
        ] {
            assert_eq!(fault_of(name.as_bytes()), None, "{name:?}");
        }
        for name in ["", ".", "..", "a/b", "/", "a\0b"] {
            assert_eq!(fault_of(name.as_bytes()), Some(BadTree::Name), "{name:?}");
        }
        assert_eq!(fault_of(&[b'a'; 256]), Some(BadTree::LongName));
        assert_eq!(fault_of(&[b'a'; 255]), None);
        assert_eq!(fault_of(b"\xff\xfe"), None);
    }
}
