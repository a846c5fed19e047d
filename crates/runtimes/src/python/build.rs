//! Making an environment: fetch the wheels that are not there, install them offline, compile, mark it complete.
//! Built in its final place, since its programs name their folder; without the marker it is nothing. Spec cli.md 12.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::candidate::Candidate;
use super::environment::{Environment, Marker};
use super::finish::{finish_python, open_to_all};
use super::interpreter::{self, Interpreter, clean};
use super::lock::{Lock, Package};
use super::pip::{self, Fault, Pip};
use super::wheels::Wheels;
use crate::build::{BuildError, Progress};
use crate::located::Located;
use crate::options::{Options, Places};
use crate::program::Program;

/// Wheels of about this many bytes are fetched by one call of pip; the smaller, the less is lost by an interruption.
const BATCH_BYTES: u64 = 8_000_000;
const BATCH_FILES: usize = 24;

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

    /// Bytes to fetch, going by names and lengths in the cache and the folder of packages.
    pub(crate) fn bytes_to_fetch(&self) -> u64 {
        let wheels = Wheels::new(&self.cache_dir);
        let given = |package: &Package| {
            let folder = self.packages.as_ref();
            folder.is_some_and(|folder| folder.join(&package.wheel).metadata().is_ok_and(|m| m.len() == package.size))
        };
        let missing = self.missing_packages().into_iter().filter(|one| !wheels.seems_there(one) && !given(one));
        missing.map(|package| package.size).sum()
    }
}

pub(crate) fn build(work: &Work, located: &Located, progress: &mut dyn FnMut(Progress)) -> Result<Program, BuildError> {
    let environments = work.cache_dir.join("environments");
    fs::create_dir_all(&environments).map_err(BuildError::io("making the folder", &environments))?;
    let mut tools: Option<(Interpreter, Pip)> = None;
    for part in work.environment.chain().into_iter().rev() {
        let held = hold(part, progress)?;
        if part.complete().is_some() {
            continue;
        }
        if tools.is_none() {
            check_space(work)?;
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

/// Takes the lock of one environment, in a file beside its folder.
fn hold(part: &Environment, progress: &mut dyn FnMut(Progress)) -> Result<File, BuildError> {
    let path = part.folder.with_extension("lock");
    let file = File::options().read(true).write(true).create(true).truncate(true).open(&path);
    let file = file.map_err(BuildError::io("opening", &path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            progress(Progress::Waiting);
            file.lock().map_err(BuildError::io("locking", &path))?;
        }
        Err(TryLockError::Error(error)) => return Err(BuildError::io("locking", &path)(error)),
    }
    Ok(file)
}

/// Refuses to begin what cannot fit; a disk that fills up meanwhile is an error of the step that meets it.
fn check_space(work: &Work) -> Result<(), BuildError> {
    let folder = &work.cache_dir;
    let about = rustix::fs::statvfs(folder)
        .map_err(|error| BuildError::io("asking for free space in", folder)(error.into()))?;
    let free = about.f_bavail.saturating_mul(about.f_frsize);
    let unpacked: u64 = work.missing_packages().iter().map(|package| package.unpacked).sum();
    // Byte code is about as much again as a third of what is unpacked.
    let needed = work.bytes_to_fetch() + unpacked + unpacked / 3;
    if needed <= free {
        return Ok(());
    }
    let megabytes = |bytes: u64| bytes.div_ceil(1_000_000);
    Err(BuildError::Space {
        title: work.title.clone(),
        folder: folder.clone(),
        needed: megabytes(needed),
        free: megabytes(free),
    })
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
        let wheels = Wheels::new(&self.work.cache_dir);
        self.fetch(&wheels, &packages, progress)?;
        progress(Progress::Installing { packages: packages.len() });
        let files: Vec<(PathBuf, &Package)> = packages.iter().map(|one| (wheels.path(one), *one)).collect();
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
        pip::finish(command, &self.held).map_err(step("making an empty environment"))
    }

    fn fetch(
        &self,
        wheels: &Wheels,
        packages: &[&Package],
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), BuildError> {
        let cache = &self.work.cache_dir;
        let mut absent = self.absent(wheels, packages)?;
        if let (Some(given), false) = (&self.work.packages, absent.is_empty()) {
            wheels.take(given, &absent, true).map_err(BuildError::io("reading the packages of", given))?;
            absent = self.absent(wheels, &absent)?;
        }
        let total: u64 = packages.iter().map(|package| package.size).sum();
        let mut done = total - absent.iter().map(|package| package.size).sum::<u64>();
        if !absent.is_empty() {
            progress(Progress::Fetching { done, total });
        }
        for batch in batches(&absent) {
            let arriving = tempfile::Builder::new()
                .prefix("arriving-")
                .tempdir_in(cache)
                .map_err(BuildError::io("making a folder in", cache))?;
            self.fetch_batch(&batch, arriving.path())?;
            wheels.take(arriving.path(), &batch, false).map_err(BuildError::io("storing wheels in", cache))?;
            if let Some(wrong) = self.absent(wheels, &batch)?.first() {
                return Err(BuildError::Bytes { package: format!("{} {}", wrong.name, wrong.version) });
            }
            done += batch.iter().map(|package| package.size).sum::<u64>();
            progress(Progress::Fetching { done, total });
        }
        Ok(())
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

    fn absent<'p>(&self, wheels: &Wheels, packages: &[&'p Package]) -> Result<Vec<&'p Package>, BuildError> {
        let mut absent = Vec::new();
        for package in packages {
            let path = wheels.path(package);
            if !wheels.verified(package).map_err(BuildError::io("reading", &path))? {
                absent.push(*package);
            }
        }
        Ok(absent)
    }

    /// A run sees the environment read-only, so the byte code must be there. Some packages carry templates that are
    /// not Python of this version: what cannot be compiled is left, as an ordinary installation leaves it.
    fn compile(&self) -> Result<(), BuildError> {
        let mut command = Command::new(self.part.python());
        command.args(["-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash"]);
        command.arg(self.part.site_packages());
        clean(&mut command, &self.part.folder);
        match pip::finish(command, &self.held) {
            Ok(()) | Err(Fault::Ended { .. }) => Ok(()),
            Err(Fault::Start(source)) => Err(BuildError::io("compiling", &self.part.folder)(source)),
        }
    }
}

/// Groups of about [`BATCH_BYTES`], in the order of the list.
fn batches<'p>(packages: &[&'p Package]) -> Vec<Vec<&'p Package>> {
    let mut batches: BTreeMap<usize, Vec<&Package>> = BTreeMap::new();
    let (mut at, mut bytes) = (0, 0);
    for package in packages {
        let current = batches.get(&at).map_or(0, Vec::len);
        if current == BATCH_FILES || (current > 0 && bytes + package.size > BATCH_BYTES) {
            at += 1;
            bytes = 0;
        }
        bytes += package.size;
        batches.entry(at).or_default().push(package);
    }
    batches.into_values().collect()
}

fn remove(folder: &Path) -> Result<(), BuildError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(BuildError::io("removing", folder)(error)),
        _ => Ok(()),
    }
}

fn step(what: &'static str) -> impl FnOnce(Fault) -> BuildError {
    move |fault| BuildError::Step { what, messages: fault.to_string() }
}

#[cfg(test)]
mod tests;
