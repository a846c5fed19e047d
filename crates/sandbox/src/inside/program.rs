//! Finding the program of a run: in the run's own PATH, never in the workspace.
//! What the study's code can write must not decide which program starts (spec sandbox.md 5).

use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Step};

/// Where programs are looked for when the environment has no PATH.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The file to execute for the first word of a command. Folders of `writable` are never searched.
pub(crate) fn find(word: &str, env: &[(String, String)], writable: &Path) -> Result<PathBuf, Failure> {
    let step = || format!("find the program {word:?}");
    if word.is_empty() {
        return Err(Failure::new(step(), "the command is empty"));
    }
    if word.contains('/') {
        let path = PathBuf::from(word);
        if !path.is_absolute() || in_writable(&path, writable) {
            return Err(Failure::new(step(), "give a program of the environment by name, not a file of the workspace"));
        }
        return match fs::metadata(&path) {
            Ok(_) => Ok(path),
            Err(error) => Err(Failure::new(step(), error)),
        };
    }
    let path = env.iter().rev().find(|(name, _)| name == "PATH").map_or(DEFAULT_PATH, |(_, value)| value.as_str());
    let mut found_but = None;
    for folder in path.split(':').map(Path::new) {
        let file = folder.join(word);
        if !folder.is_absolute() || in_writable(&file, writable) {
            continue;
        }
        match fs::metadata(&file) {
            Ok(found) if found.is_file() && found.permissions().mode() & 0o111 != 0 => return Ok(file),
            Ok(_) => found_but = Some(format!("{} is not executable", file.display())),
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                found_but = Some(format!("{} cannot be entered by the run's own user", folder.display()));
            }
            Err(_) => {}
        }
    }
    Err(match found_but {
        Some(why) => Failure::new(step(), why),
        None => Failure::new(step(), format!("no such program in PATH ({path})")),
    })
}

/// Judged by where links lead, so that `/usr/../workspace/x` is no way around.
fn in_writable(path: &Path, writable: &Path) -> bool {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    path.starts_with(writable) || real.starts_with(writable)
}

/// Words as the kernel takes them.
pub(crate) fn c_strings(words: impl IntoIterator<Item = String>) -> Result<Vec<CString>, Failure> {
    words
        .into_iter()
        .map(|word| {
            let shown = word.clone();
            CString::new(word).step_with(|| format!("argument or variable {shown:?}"))
        })
        .collect()
}

/// A path as the kernel takes it.
pub(crate) fn c_path(path: &Path) -> Result<CString, Failure> {
    CString::new(path.as_os_str().as_bytes()).step("path of the program")
}

/// Why executing `path` failed, in words that tell a missing interpreter from a missing file.
pub(crate) fn explain(path: &Path, error: &std::io::Error) -> Failure {
    let step = format!("execute {}", path.display());
    let first_line = || {
        let mut start = vec![0; 256];
        let read = fs::File::open(path).and_then(|mut file| std::io::Read::read(&mut file, &mut start)).unwrap_or(0);
        start.truncate(read);
        let line = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
        line.strip_prefix(b"#!").map(|line| String::from_utf8_lossy(line).trim().to_owned())
    };
    match error.raw_os_error() {
        Some(libc::ENOENT) => match first_line() {
            Some(line) => Failure::new(step, format!("its interpreter is missing: {line}")),
            None => Failure::new(step, "the loader it needs is missing"),
        },
        Some(libc::ENOEXEC) => Failure::new(step, "not a program of this machine, and no script with a first line #!"),
        _ => Failure::new(step, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(folder: &Path, name: &str, mode: u32) {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join(name), "#!/bin/sh\n").unwrap();
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn the_workspace_is_never_searched() {
        let temporary = tempfile::tempdir().unwrap();
        let base = temporary.path().canonicalize().unwrap();
        let (workspace, good) = (base.join("workspace"), base.join("bin"));
        program(&workspace, "tool", 0o755);
        program(&good, "tool", 0o755);
        let env = |path: String| vec![("PATH".to_owned(), path)];
        let both = env(format!("{}::.:{}", workspace.display(), good.display()));
        assert_eq!(find("tool", &both, &workspace).unwrap(), good.join("tool"));
        assert!(find("tool", &env(workspace.display().to_string()), &workspace).is_err());
        assert!(find(&workspace.join("tool").display().to_string(), &both, &workspace).is_err());
        assert!(find("./tool", &both, &workspace).is_err());
        std::os::unix::fs::symlink(&workspace, base.join("way-round")).unwrap();
        assert!(find("tool", &env(base.join("way-round").display().to_string()), &workspace).is_err());
    }

    #[test]
    fn what_is_missing_is_named() {
        let temporary = tempfile::tempdir().unwrap();
        program(temporary.path(), "plain", 0o644);
        let env = vec![("PATH".to_owned(), temporary.path().display().to_string())];
        let error = find("Rscript", &env, Path::new("/workspace")).unwrap_err().to_string();
        assert!(error.contains("\"Rscript\"") && error.contains("no such program in PATH"), "{error}");
        let error = find("plain", &env, Path::new("/workspace")).unwrap_err().to_string();
        assert!(error.contains("not executable"), "{error}");
    }
}
