//! Making an environment: fetch the wheels that are not there, install them offline, compile, mark it complete.
//! Built in its final place, since its programs name their folder; without the marker it is nothing. Spec cli.md 12.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::candidate::Candidate;
use super::environment::{Environment, Marker};
use super::finish::finish_python;
use super::interpreter::{self, Interpreter};
use super::lock::{Lock, Package};
use super::pip::{self, Pip};
use crate::build::{BuildError, Progress};
use crate::command::{Fault, clean, finish};
use crate::located::Located;
use crate::options::{Options, Places};
use crate::program::Program;
use crate::steps::{check_space, hold, open_to_all, remove, step};
use crate::store::{self, Store, absent};

/// The folder of wheels in the cache.
const WHEELS: &str = "wheels";

/// All that a build needs to know.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    pub(crate) cache_dir: PathBuf,
    pub(crate) packages: Option<PathBuf>,
    pub(crate) places: Places,
    pub(crate) executable: PathBuf,
    pub(crate) lock: Lock,
    pub(crate) environment: Environment,
    pub(crate) title: String,
    /// Settings of pip on top of the user's: where tests get their wheels.
    pub(crate) settings: Vec<(String, String)>,
}

impl Work {
    pub(crate) fn of(candidate: &Candidate, options: &Options, title: String) -> Self {
        Self {
            cache_dir: options.cache_dir.clone(),
            packages: options.packages.clone(),
            places: options.places.clone(),
            executable: candidate.executable.clone(),
            lock: candidate.lock.clone(),
            environment: candidate.environment.clone(),
            title,
            settings: Vec::new(),
        }
    }

    /// The packages of every part that is not complete.
    pub(crate) fn missing_packages(&self) -> Vec<&Package> {
        let parts = self.environment.chain().into_iter().filter(|part| part.marker().is_none());
        parts.flat_map(|part| self.lock.of(part.group)).collect()
    }

    /// Bytes to fetch.
    pub(crate) fn bytes_to_fetch(&self) -> u64 {
        self.to_fetch().iter().map(|package| package.size).sum()
    }

    /// What has to be fetched, going by names and lengths in the cache and the folder of packages.
    pub(crate) fn to_fetch(&self) -> Vec<&Package> {
        let wheels = Store::new(&self.cache_dir, WHEELS);
        let given = |package: &Package| {
            let folder = self.packages.as_ref();
            folder.is_some_and(|folder| folder.join(&package.wheel).metadata().is_ok_and(|m| m.len() == package.size))
        };
        self.missing_packages().into_iter().filter(|one| !wheels.seems_there(*one) && !given(one)).collect()
    }
}

pub(crate) fn build(work: &Work, located: &Located, progress: &mut dyn FnMut(Progress)) -> Result<Program, BuildError> {
    let environments = work.cache_dir.join("environments");
    fs::create_dir_all(&environments).map_err(BuildError::io("making the folder", &environments))?;
    let mut tools: Option<(Interpreter, Pip)> = None;
    for part in work.environment.chain().into_iter().rev() {
        let held = hold(&part.folder, progress)?;
        if part.complete().is_some() {
            continue;
        }
        if tools.is_none() {
            let unpacked: u64 = work.missing_packages().iter().map(|package| package.unpacked).sum();
            // Byte code is about as much again as a third of what is unpacked.
            let needed = work.bytes_to_fetch() + unpacked + unpacked / 3;
            check_space(&work.title, &work.cache_dir, needed)?;
            tools = Some(find_tools(work)?);
        }
        if let Some((interpreter, pip)) = &tools {
            Part { work, part, interpreter, pip, held }.build(progress)?;
        }
    }
    let marker = work.environment.complete().ok_or_else(|| BuildError::Step {
        what: "checking the finished environment",
        messages: work.environment.folder.display().to_string(),
    })?;
    Ok(work.environment.program(&marker, located.clone()))
}

fn find_tools(work: &Work) -> Result<(Interpreter, Pip), BuildError> {
    let unusable = |verdict| BuildError::Interpreter { interpreter: work.executable.clone(), verdict };
    let interpreter = interpreter::ask(&work.executable).map_err(unusable)?;
    let pip = Pip::find(&interpreter, &work.places).map_err(|verdict| BuildError::NoPip {
        interpreter: work.executable.clone(),
        verdict,
        fix: pip::install_line(&interpreter),
    })?;
    Ok((interpreter, pip))
}

/// One environment under construction.
struct Part<'a> {
    work: &'a Work,
    part: &'a Environment,
    interpreter: &'a Interpreter,
    pip: &'a Pip,
    /// Locked; dropped when the environment is complete.
    held: File,
}

impl Part<'_> {
    fn build(&self, progress: &mut dyn FnMut(Progress)) -> Result<(), BuildError> {
        let folder = &self.part.folder;
        remove(folder)?;
        let packages: Vec<&Package> = self.work.lock.of(self.part.group).collect();
        self.make_venv()?;
        let wheels = Store::new(&self.work.cache_dir, WHEELS);
        self.fetch(&wheels, &packages, progress)?;
        progress(Progress::Installing { packages: packages.len() });
        let files: Vec<(PathBuf, &Package)> = packages.iter().map(|one| (wheels.path(*one), *one)).collect();
        let python = self.part.python();
        self.pip.install(&python, &files, folder, &self.held).map_err(step("installing the packages"))?;
        finish_python(self.part).map_err(BuildError::io("finishing", folder))?;
        progress(Progress::Compiling);
        self.compile()?;
        open_to_all(folder).map_err(BuildError::io("setting the permissions of", folder))?;
        let marker = Marker {
            folder: folder.clone(),
            version: self.interpreter.version.clone(),
            base_prefix: self.interpreter.base_prefix.clone(),
            identity: self.work.lock.identity(self.part.group, &self.interpreter.version),
        };
        self.part.mark(&marker).map_err(BuildError::io("completing", folder))
    }

    /// An environment without pip: works where a distribution splits `ensurepip` off.
    fn make_venv(&self) -> Result<(), BuildError> {
        let mut command = Command::new(&self.interpreter.executable);
        command.args(["-m", "venv", "--without-pip"]).arg(&self.part.folder);
        clean(&mut command, Path::new("/"));
        finish(command, &self.held).map_err(step("making an empty environment"))
    }

    fn fetch(
        &self,
        wheels: &Store,
        packages: &[&Package],
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), BuildError> {
        if let Some(given) = &self.work.packages {
            let absent = absent(wheels, packages)?;
            wheels.take(given, &absent, true).map_err(BuildError::io("reading the packages of", given))?;
        }
        store::fetch(wheels, &self.work.cache_dir, packages, progress, |batch, arriving| {
            self.fetch_batch(batch, arriving)
        })
    }

    fn fetch_batch(&self, batch: &[&Package], arriving: &Path) -> Result<(), BuildError> {
        match self.pip.fetch(&self.part.python(), batch, &self.work.settings, arriving, &self.held) {
            Ok(()) => Ok(()),
            Err(Fault::Start(source)) => Err(BuildError::io("starting pip in", arriving)(source)),
            Err(Fault::Ended { messages, .. }) => Err(BuildError::Fetch {
                packages: batch.first().map_or_else(String::new, |first| {
                    let name = format!("{} {}", first.name, first.version);
                    if batch.len() > 1 { format!("{name} and {} more", batch.len() - 1) } else { name }
                }),
                hint: pip::hint(&messages),
                messages,
            }),
        }
    }

    /// A run sees the environment read-only, so the byte code must be there. Some packages carry templates that are
    /// not Python of this version: what cannot be compiled is left, as an ordinary installation leaves it.
    fn compile(&self) -> Result<(), BuildError> {
        let mut command = Command::new(self.part.python());
        command.args(["-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash"]);
        command.arg(self.part.site_packages());
        clean(&mut command, &self.part.folder);
        match finish(command, &self.held) {
            Ok(()) | Err(Fault::Ended { .. }) => Ok(()),
            Err(Fault::Start(source)) => Err(BuildError::io("compiling", &self.part.folder)(source)),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
