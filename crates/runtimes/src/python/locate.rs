//! From a `python` or `jupyter` reference to an environment: the user's own, one made from a lock, or, without a
//! connection, the system's. Spec cli.md 5 (order a, b, c; X201, X205), 12.

use std::path::{Path, PathBuf};

use pipeline::RuntimeRef;
use sandbox::Root;

use super::build::Work;
use super::candidate::{Candidate, Candidates, candidates};
use super::environment::{located, other_version, python_variables};
use super::interpreter::{self, Interpreter};
use super::lock::{Group, Minor};
use super::pip::{self, Pip};
use super::system;
use crate::build::{Plan, expected, not_here};
use crate::locate::Fallback;
use crate::located::{Found, Missing, Tried};
use crate::options::Options;
use crate::program::{Program, Start, is_executable, search};
use crate::store::Stored;

/// One request while it is being answered.
pub(crate) struct Request<'a> {
    pub(crate) reference: &'a RuntimeRef,
    pub(crate) resolved: RuntimeRef,
    pub(crate) group: Group,
    pub(crate) options: &'a Options,
    pub(crate) fallback: Fallback,
}

impl Request<'_> {
    pub(crate) fn locate(&self) -> Result<Found, Missing> {
        let Candidates { stands_for, found, mut tried } = candidates(&self.resolved.tag, self.group, self.options)
            .map_err(|error| self.missing(error.to_string(), Vec::new(), None))?;
        let mut fix = None;
        for candidate in &found {
            match self.take(candidate, stands_for) {
                Ok(found) => return Ok(found),
                Err((verdict, mends)) => {
                    let name = format!("Python {} ({})", candidate.python, candidate.executable.display());
                    tried.push(Tried { candidate: name, verdict });
                    fix = fix.or(mends);
                }
            }
        }
        if self.options.offline && self.fallback == Fallback::System {
            match system::python(self, stands_for) {
                Ok(program) => return Ok(Found::Ready(program)),
                Err(verdict) => tried.push(Tried { candidate: "the system's python3".to_owned(), verdict }),
            }
        }
        tried.push(Tried {
            candidate: "container".to_owned(),
            verdict: "this version of the program starts no containers".to_owned(),
        });
        let wanted = format!("nothing on this machine runs it; it needs Python {stands_for} or a newer one");
        Err(self.missing(wanted, tried, Some(fix.unwrap_or_else(|| self.fix(&found)))))
    }

    /// The environment of a candidate, or what would make it; `Err` is a verdict and the command that changes it.
    fn take(&self, candidate: &Candidate, stands_for: Minor) -> Result<Found, (String, Option<String>)> {
        let title = |version: &str| format!("Python {version} with {}", candidate.packages());
        let answer = |version: &str| {
            let warning = other_version(&self.resolved, stands_for, version, &candidate.packages());
            let identity = format!("host:{}", candidate.lock.identity(self.group, version));
            located(self.reference, &self.resolved, title(version), warning, identity)
        };
        if let Some(marker) = candidate.environment.complete() {
            return Ok(Found::Ready(candidate.environment.program(&marker, answer(&marker.version))));
        }
        let interpreter = interpreter::ask(&candidate.executable).map_err(|verdict| (verdict, None))?;
        usable(&interpreter, candidate)?;
        let pip = Pip::find(&interpreter, &self.options.places);
        pip.map_err(|verdict| (verdict, Some(pip::install_line(&interpreter))))?;
        let title = title(&interpreter.version);
        let work = Work::of(candidate, self.options, title.clone());
        let bytes = work.bytes_to_fetch();
        if self.options.offline && bytes > 0 {
            let lacking = work.to_fetch();
            let first = lacking.first().map_or_else(String::new, |package| package.file());
            return Err(not_here(&first, lacking.len(), bytes, self.options, &self.resolved.to_string()));
        }
        let unpacked = work.missing_packages().iter().map(|package| package.unpacked).sum();
        let located = answer(&interpreter.version);
        let expected = expected(bytes, unpacked);
        let work = crate::build::Work::Python(Box::new(work));
        Ok(Found::Build(Plan { located, title, bytes, unpacked, expected, work, library: None }))
    }

    /// An environment that the user named: a folder with `bin/`, or a program in such a folder.
    pub(crate) fn configured(&self, path: &Path) -> Result<Found, Missing> {
        let unusable = |verdict: String| {
            let tried = vec![Tried { candidate: path.display().to_string(), verdict }];
            self.missing("the environment named in cloister.toml cannot be used".to_owned(), tried, None)
        };
        let executable = if path.is_dir() { path.join("bin/python") } else { path.to_path_buf() };
        if !executable.is_absolute() || !is_executable(&executable) {
            return Err(unusable(format!("{} is not a program", executable.display())));
        }
        let interpreter = interpreter::ask(&executable).map_err(unusable)?;
        let stands_for = super::lock::serving(&self.resolved.tag).first().map_or(Minor(0), |source| source.python);
        let packages = format!("the packages of {}", path.display());
        let warning = other_version(&self.resolved, stands_for, &interpreter.version, &packages);
        let title = format!("Python {} of {}", interpreter.version, path.display());
        let bin = executable.parent().map(Path::to_path_buf).unwrap_or_default();
        let identity = system::identity(&interpreter);
        let located = located(self.reference, &self.resolved, title, warning, identity);
        Ok(Found::Ready(self.started_from(located, vec![bin], &interpreter, "python")))
    }

    /// A program of an interpreter that was not built here.
    pub(crate) fn started_from(
        &self,
        located: crate::located::Located,
        own: Vec<PathBuf>,
        interpreter: &Interpreter,
        python: &str,
    ) -> Program {
        let folders = [&interpreter.prefix, &interpreter.base_prefix].map(PathBuf::clone);
        let mut prefixes: Vec<PathBuf> = Vec::new();
        for folder in folders.into_iter().chain(own.iter().cloned()) {
            if !folder.starts_with("/usr") && !prefixes.iter().any(|one| folder.starts_with(one)) {
                prefixes.push(folder);
            }
        }
        let default = if self.group == Group::Jupyter { "jupyter" } else { python };
        Program {
            located,
            root: Root::Host { prefixes, overlays: Vec::new() },
            env: python_variables(&own),
            start: Start::Environment { default: default.to_owned(), search: search(&own, &[]), overlays: Vec::new() },
        }
    }

    fn missing(&self, reason: String, tried: Vec<Tried>, fix: Option<String>) -> Missing {
        Missing { reference: self.reference.to_string(), code: "X205", reason, tried, fix }
    }

    /// The shortest command if no candidate names one of its own.
    fn fix(&self, found: &[Candidate]) -> String {
        match (found.is_empty(), Path::new("/etc/debian_version").exists()) {
            (true, true) => "apt-get install python3 python3-pip".to_owned(),
            (true, false) => "install CPython 3.8 to 3.13 with pip".to_owned(),
            _ => format!("cloister env install {}", self.resolved),
        }
    }
}

/// `Err` is a verdict and, if one helps, the command that changes it.
fn usable(interpreter: &Interpreter, candidate: &Candidate) -> Result<(), (String, Option<String>)> {
    if interpreter.minor != (3, candidate.python.0) {
        return Err((format!("it says it is Python {}", interpreter.version), None));
    }
    if interpreter.is_virtual() {
        return Err(("it belongs to a virtual environment".to_owned(), None));
    }
    if !interpreter.has_venv {
        let of_the_system = Path::new("/etc/debian_version").exists() && interpreter.base_prefix == Path::new("/usr");
        let fix = of_the_system.then(|| "apt-get install python3-venv".to_owned());
        return Err(("it lacks the module venv".to_owned(), fix));
    }
    if interpreter.platform != candidate.lock.platform {
        return Err((format!("no locked list for {}", interpreter.platform), None));
    }
    Ok(())
}
