//! Which folders `exec` shows to no command: it could write there, and what it writes would be run by others.
//! Spec cli.md 8.

use std::path::{Path, PathBuf};

/// Why `here` (as the kernel names it) is not shown.
pub(super) fn refused(here: &Path) -> Option<String> {
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    judge(here, home.as_deref(), runtimes::default_cache_dir().as_deref())
}

fn judge(here: &Path, home: Option<&Path>, cache: Option<&Path>) -> Option<String> {
    let (home, cache) = (home.map(real), cache.map(real));
    let why = if here.parent().is_none() {
        "this is the root of the whole machine"
    } else if home.as_ref().is_some_and(|home| home == here) {
        "this is your home, with all your files, keys and settings"
    } else if home.is_some_and(|home| home.starts_with(here)) {
        "your home, with all your files, keys and settings, is in it"
    } else if cache.is_some_and(|cache| cache.starts_with(here) || here.starts_with(cache)) {
        "cloister's own folder (CLOISTER_CACHE_DIR), with the runtimes of every job, is here"
    } else {
        return None;
    };
    Some(format!(
        "error: `exec` shows this folder to the command, which can write in it, and {why}\n  \
         = help: cd into your study's folder, with the other folder elsewhere, and try again"
    ))
}

/// Without links; of a folder that is not there yet, as far as there is one.
fn real(path: &Path) -> PathBuf {
    path.ancestors()
        .find_map(|above| Some(above.canonicalize().ok()?.join(path.strip_prefix(above).ok()?)))
        .unwrap_or_else(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn homes_caches_and_what_holds_them_are_not_shown() {
        let top = tempfile::tempdir().unwrap();
        let top = top.path().canonicalize().unwrap();
        let at = |path: &str| top.join(path);
        std::fs::create_dir_all(at("homes/me/study")).unwrap();
        std::fs::create_dir_all(at("big/cache/env")).unwrap();
        std::fs::create_dir_all(at("homes/me2")).unwrap();
        std::os::unix::fs::symlink(at("homes/me"), at("home")).unwrap();
        std::os::unix::fs::symlink(at("big"), at("scratch")).unwrap();
        let says = |here: &str| judge(&at(here), Some(&at("home")), Some(&at("scratch/cache/not/yet")));
        for (here, words) in [
            ("homes/me", Some("your home")),
            ("homes", Some("your home")),
            ("", Some("your home")),
            ("big", Some("cloister's own folder")),
            ("big/cache", Some("cloister's own folder")),
            ("big/cache/not/yet/python", Some("cloister's own folder")),
            ("big/cache/env", None),
            ("homes/me/study", None),
            ("homes/me2", None),
        ] {
            let said = says(here);
            assert_eq!(said.is_some(), words.is_some(), "{here}: {said:?}");
            assert!(words.is_none_or(|words| said.unwrap().contains(words)), "{here}");
        }
        assert!(judge(Path::new("/"), None, None).unwrap().contains("whole machine"));
        assert_eq!(judge(&at("homes"), None, None), None);
    }
}
