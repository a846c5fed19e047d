//! Which relative paths may be asked for at all, judged on their bytes.
//! Spec sandbox.md 10; project-yaml.md 6.4 (refused here again, whatever validation said).

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::FolderError;

/// The segments of a plain relative path.
///
/// # Errors
/// `BadPath` for an absolute or empty path, and for an empty, `.` or `..` segment or a NUL.
pub(super) fn segments(path: &Path) -> Result<Vec<&OsStr>, FolderError> {
    let bytes = path.as_os_str().as_bytes();
    let bad = |why| Err(FolderError::BadPath { path: path.to_owned(), why });
    if bytes.is_empty() {
        return bad("it is empty");
    }
    if bytes[0] == b'/' {
        return bad("it is absolute");
    }
    if bytes.contains(&0) {
        return bad("it contains a NUL");
    }
    let mut parts = Vec::with_capacity(4);
    for part in bytes.split(|b| *b == b'/') {
        match part {
            b"" => return bad("it has an empty segment"),
            b"." => return bad("it has a `.` segment"),
            b".." => return bad("it has a `..` segment"),
            _ => parts.push(OsStr::from_bytes(part)),
        }
    }
    Ok(parts)
}

/// Segments put together again.
pub(super) fn join(parts: &[&OsStr]) -> PathBuf {
    parts.iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_paths_pass_and_tricks_do_not() {
        for good in ["a", "a/b.csv", "-x", "...", "..a/b..", " ", "a\nb", "output/é"] {
            assert_eq!(join(&segments(Path::new(good)).unwrap()), Path::new(good));
        }
        for bad in ["", "/", "/a", "a//b", "a/", "./a", "a/.", "..", "../a", "a/../b", "a/..", "a\0b"] {
            assert!(segments(Path::new(bad)).is_err(), "{bad:?}");
        }
    }
}
