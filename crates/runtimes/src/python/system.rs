//! The system's own interpreter with whatever packages it has: taken only where nothing can be fetched.
//! Spec cli.md 12: "with `--offline` the system interpreter is taken (X201) or the run is refused (X205)".

use std::fs;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::environment::located;
use super::interpreter::{self, Interpreter, fingerprint};
use super::locate::Request;
use super::lock::{Group, Minor};
use crate::located::Warning;
use crate::program::{Program, is_executable};
use crate::store::hex;

/// The newest minor version that is looked for.
const NEWEST: u8 = 20;

/// The nearest interpreter that is at least as new as the tag's. `Err` is a verdict for people.
pub(super) fn python(request: &Request<'_>, stands_for: Minor) -> Result<Program, String> {
    let places = &request.options.places;
    let executables = (stands_for.0..=NEWEST).flat_map(|minor| interpreter::named(places, Minor(minor)));
    let mut verdict = format!("none from Python {stands_for} on in {} folders", places.folders.len());
    for executable in executables {
        let interpreter = match interpreter::ask(&executable) {
            Ok(interpreter) if interpreter.is_virtual() => continue,
            Ok(interpreter) => interpreter,
            Err(error) => {
                verdict = format!("{}: {error}", executable.display());
                continue;
            }
        };
        let bin = executable.parent().map(PathBuf::from).unwrap_or_default();
        if request.group == Group::Jupyter && !is_executable(&bin.join("jupyter")) {
            verdict = format!("{} has no jupyter", executable.display());
            continue;
        }
        return program(request, stands_for, &interpreter, bin);
    }
    Err(verdict)
}

fn program(
    request: &Request<'_>,
    stands_for: Minor,
    interpreter: &Interpreter,
    bin: PathBuf,
) -> Result<Program, String> {
    let own = vec![named_python(request, interpreter)?, bin];
    let warning = Warning {
        code: "X201",
        message: format!(
            "{} stands for Python {stands_for} with a fixed list of packages; without a connection it runs with the \
             system's Python {} and whatever packages that has. A backend uses its own: results may differ, and a \
             package that a script needs may be missing. `cloister env install {}` makes the right one.",
            request.resolved, interpreter.version, request.resolved
        ),
    };
    let title = format!("the system's Python {}", interpreter.version);
    let identity = identity(interpreter);
    let located = located(request.reference, &request.resolved, title, Some(warning), identity);
    Ok(request.started_from(located, own, interpreter, "python"))
}

/// A folder with links `python` and `python3` to the interpreter: a system may have it under its full name alone.
fn named_python(request: &Request<'_>, interpreter: &Interpreter) -> Result<PathBuf, String> {
    let fingerprint = fingerprint(&interpreter.executable).map_err(|error| error.to_string())?;
    let key = hex(&Sha256::digest(fingerprint.as_bytes()));
    let folder = request.options.cache_dir.join("system").join(&key[..16]);
    let link = || -> std::io::Result<()> {
        fs::create_dir_all(&folder)?;
        for name in ["python", "python3"] {
            match std::os::unix::fs::symlink(&interpreter.executable, folder.join(name)) {
                Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        Ok(())
    };
    link().map_err(|error| format!("{} cannot be made ({error})", folder.display()))?;
    Ok(folder)
}

/// For provenance: the version and the file of an interpreter whose packages are not ours to know.
pub(super) fn identity(interpreter: &Interpreter) -> String {
    let of = fingerprint(&interpreter.executable).unwrap_or_default();
    let hash = Sha256::digest(format!("cloister.system/1\n{}\n{of}\n", interpreter.version).as_bytes());
    format!("host:{}", hex(&hash))
}
