//! `cloister unzip`: `.gz` outputs as plain files beside them (cli.md 9).
//! One bad file does not stop the others, nothing half done is left, and the disk is never filled.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io::{self, BufReader, Read, Write};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

/// Bytes unpacked between two looks at the free space.
const STRIDE: usize = 4 << 20;
/// What is always left free: other programs must not fail because of us.
const RESERVE: u64 = 256 << 20;

/// How a folder's free bytes are found out; tests put their own in.
type FreeSpace<'a> = &'a dyn Fn(&Path) -> io::Result<u64>;

/// Why one file was not unpacked.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("damaged or cut off, or not gzip at all ({0})")]
    Corrupt(io::Error),
    #[error("{0} is in the way: it is not an ordinary file")]
    Blocked(String),
    #[error("its name is only .gz, so there is no name for the result")]
    NoName,
    #[error("the disk is nearly full; nothing more is unpacked")]
    NoSpace,
}

enum Done {
    Unpacked(u64),
    Newer,
}

/// Unpacks a `.gz` file, or all below a folder; links below it are not followed. Exit code 0, or 1 if anything failed.
///
/// A result that is newer than its source is kept, unless `force` is given.
pub(crate) fn run(path: &Path, force: bool, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    run_with(path, force, out, err, &free_space)
}

fn run_with(path: &Path, force: bool, out: &mut dyn Write, err: &mut dyn Write, free: FreeSpace<'_>) -> u8 {
    let mut problems = 0_u64;
    let mut problem = |what: &Path, why: &dyn std::fmt::Display| {
        problems += 1;
        let _ = writeln!(err, "error: {}: {why}", shown(what));
    };
    // The path itself may be a link: it was given on purpose.
    let sources = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            problem(path, &"does not exist");
            return 1;
        }
        Err(error) => {
            problem(path, &error);
            return 1;
        }
        Ok(meta) if meta.is_dir() => gather(path, &mut problem),
        Ok(meta) if meta.is_file() && is_gz(path) => vec![path.to_path_buf()],
        Ok(_) => {
            problem(path, &"is neither a .gz file nor a folder");
            return 1;
        }
    };
    let (mut unpacked, mut kept) = (0_u64, 0_u64);
    for source in &sources {
        match unpack(source, force, free) {
            Ok(Done::Unpacked(bytes)) => {
                unpacked += 1;
                // A reader of stdout that has gone is no reason to stop half way.
                let _ = writeln!(out, "{} ({bytes} bytes)", shown(&source.with_extension("")));
            }
            Ok(Done::Newer) => kept += 1,
            Err(failure) => {
                problem(source, &failure);
                if matches!(failure, Failure::NoSpace) {
                    break;
                }
            }
        }
    }
    let kept = if kept > 0 {
        format!(", {kept} kept because newer than the source (-f unpacks again)")
    } else {
        String::new()
    };
    let _ = writeln!(out, "{unpacked} unpacked{kept}");
    u8::from(problems > 0)
}

/// The name of a file as a terminal may show it.
fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn is_gz(path: &Path) -> bool {
    path.as_os_str().as_bytes().ends_with(b".gz")
}

/// Every ordinary `.gz` file below a folder, in the order of its path.
fn gather(root: &Path, problem: &mut dyn FnMut(&Path, &dyn std::fmt::Display)) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![root.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                problem(&folder, &error);
                continue;
            }
        };
        for entry in entries {
            // The kind of the entry itself, not of what a link leads to.
            match entry.and_then(|entry| Ok((entry.path(), entry.file_type()?))) {
                Ok((path, kind)) if kind.is_dir() => folders.push(path),
                Ok((path, kind)) if kind.is_file() && is_gz(&path) => found.push(path),
                Ok(_) => {}
                Err(error) => problem(&folder, &error),
            }
        }
    }
    found.sort();
    found
}

/// The name without its `.gz`.
fn target_of(source: &Path) -> Result<PathBuf, Failure> {
    let name = source.file_name().map(OsStr::as_bytes).and_then(|name| name.strip_suffix(b".gz"));
    match name {
        Some(name) if !name.is_empty() => Ok(source.with_file_name(std::ffi::OsString::from_vec(name.to_vec()))),
        _ => Err(Failure::NoName),
    }
}

fn unpack(source: &Path, force: bool, free: FreeSpace<'_>) -> Result<Done, Failure> {
    let target = target_of(source)?;
    let file = File::open(source)?;
    let meta = file.metadata()?;
    match fs::symlink_metadata(&target) {
        Ok(standing) if !standing.is_file() => return Err(Failure::Blocked(shown(&target))),
        Ok(standing) if !force && is_newer(&standing, &meta) => return Ok(Done::Newer),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
    }
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // Removed when dropped: after a failure nothing is left.
    let mut temporary = tempfile::Builder::new().prefix(".cloister-unzip-").tempfile_in(folder)?;
    let bytes = copy(&mut MultiGzDecoder::new(BufReader::new(file)), temporary.as_file_mut(), folder, free)?;
    let mode = meta.permissions().mode() & 0o666;
    temporary.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
    // Started as root, the result still belongs to whoever owns the source.
    let _ = std::os::unix::fs::fchown(temporary.as_file(), Some(meta.uid()), Some(meta.gid()));
    temporary.as_file().sync_all()?;
    temporary.persist(&target).map_err(|error| error.error)?;
    Ok(Done::Unpacked(bytes))
}

fn is_newer(target: &Metadata, source: &Metadata) -> bool {
    matches!((target.modified(), source.modified()), (Ok(target), Ok(source)) if target > source)
}

fn copy(from: &mut dyn Read, to: &mut File, folder: &Path, free: FreeSpace<'_>) -> Result<u64, Failure> {
    let mut chunk = vec![0; 64 << 10];
    let (mut total, mut until_look) = (0_u64, 0_usize);
    loop {
        let n = match from.read(&mut chunk) {
            Ok(0) => return Ok(total),
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            // The decoder's own errors carry no number of the system's.
            Err(error) if error.raw_os_error().is_none() => return Err(Failure::Corrupt(error)),
            Err(error) => return Err(error.into()),
        };
        if until_look < n {
            if free(folder)? < RESERVE + STRIDE as u64 {
                return Err(Failure::NoSpace);
            }
            until_look = STRIDE;
        }
        until_look -= n;
        match to.write_all(&chunk[..n]) {
            Err(error) if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => {
                return Err(Failure::NoSpace);
            }
            result => result?,
        }
        total += n as u64;
    }
}

fn free_space(folder: &Path) -> io::Result<u64> {
    let stat = rustix::fs::statvfs(folder)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

#[cfg(test)]
mod tests;
