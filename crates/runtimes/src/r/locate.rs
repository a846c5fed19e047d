//! From an `r` reference to an environment: the user's own, one made from the release's locked list, or the system's R.
//! Spec cli.md 5 (order a, b, c; X201, X205), 12.

use std::path::Path;

use pipeline::RuntimeRef;

use super::build::{Work, is_here};
use super::environment::{Environment, located, other_packages, stands_for};
use super::index::{Index, lacking};
use super::lock::{self, Lock};
use super::system;
use crate::build::{Plan, expected, not_here};
use crate::locate::Fallback;
use crate::located::{Found, Located, Missing, Tried};
use crate::options::Options;
use crate::store::Stored;

/// What an ordinary study in R needs, as packages of Debian and its kin.
const USUAL: &str = "r-base-core r-cran-tidyverse r-cran-data.table r-cran-here r-cran-survival r-cran-optparse r-cran-yaml \
                     r-cran-rmarkdown";

/// One request while it is being answered.
pub(crate) struct Request<'a> {
    pub(crate) reference: &'a RuntimeRef,
    pub(crate) resolved: RuntimeRef,
    pub(crate) options: &'a Options,
    pub(crate) fallback: Fallback,
}

impl Request<'_> {
    pub(crate) fn locate(&self) -> Result<Found, Missing> {
        self.locate_on(&lock::release(), &Index::default())
    }

    fn locate_on(&self, release: &str, index: &Index) -> Result<Found, Missing> {
        let mut tried = Vec::new();
        let mut fix = None;
        match lock::for_release(release) {
            Some(Ok(lock)) => match self.take(&lock, index) {
                Ok(found) => return Ok(found),
                Err((verdict, mends)) => {
                    tried.push(tell(&format!("R {} of {release}", lock.r), verdict));
                    fix = mends;
                }
            },
            Some(Err(verdict)) => tried.push(tell("locked list", verdict)),
            None => {
                let verdict = format!("there is none for {release} on {}", std::env::consts::ARCH);
                tried.push(tell("locked list", verdict));
            }
        }
        if self.fallback == Fallback::System {
            match system::r(self) {
                Ok(program) => return Ok(Found::Ready(program)),
                Err(verdict) => tried.push(tell("the system's R", verdict)),
            }
        }
        tried.push(tell("container", "this version of the program starts no containers".to_owned()));
        let fix = fix.unwrap_or_else(|| match lacking().contains(&"apt") {
            false => format!("apt-get install {USUAL}"),
            true => "install R 4.0 or newer with the packages that the study loads; Rscript must be on the PATH".into(),
        });
        let reason = format!("nothing on this machine runs it; it needs R, best {}", stands_for(&self.resolved.tag));
        Err(self.missing(reason, tried, Some(fix)))
    }

    /// The environment of a list; `Err` is a verdict and the command that changes it.
    fn take(&self, lock: &Lock, index: &Index) -> Result<Found, (String, Option<String>)> {
        let environment = Environment::of(&self.options.cache_dir, lock);
        if let Some(marker) = environment.complete() {
            return Ok(Found::Ready(environment.program(&marker, self.answer(lock, String::new()))));
        }
        let lacking = lacking();
        if !lacking.is_empty() {
            let programs = lacking.join(" ");
            return Err((
                format!("its packages cannot be unpacked without {programs}"),
                Some(format!("apt-get install {programs}")),
            ));
        }
        let given = self.options.packages.as_deref();
        let offer = index.offer(&lock.packages, |package| is_here(&self.options.cache_dir, given, package));
        let work = Work {
            cache_dir: self.options.cache_dir.clone(),
            given: self.options.packages.clone(),
            release: lock.release.clone(),
            packages: offer.packages,
            environment,
            title: title(lock),
            index: index.clone(),
        };
        let bytes = work.bytes_to_fetch();
        if self.options.offline && bytes > 0 {
            let lacking = work.to_fetch();
            let first = lacking.first().map_or_else(String::new, |package| package.file());
            return Err(not_here(&first, lacking.len(), bytes, self.options, &self.resolved.to_string()));
        }
        if let Some(verdict) = offer.gap {
            return Err((verdict, Some("apt-get update".to_owned())));
        }
        let unpacked = work.unpacked();
        Ok(Found::Build(Plan {
            located: self.answer(lock, format!("host:{}", work.identity())),
            title: title(lock),
            bytes,
            unpacked,
            expected: expected(bytes, unpacked),
            work: crate::build::Work::R(Box::new(work)),
            library: None,
        }))
    }

    fn answer(&self, lock: &Lock, identity: String) -> Located {
        let packages = format!("{} packages of {}", lock.r_packages(), lock.release);
        let warning = other_packages(&self.resolved, &lock.r, &packages, &lock.absent);
        located(self.reference, &self.resolved, title(lock), warning, identity)
    }

    /// An R that the user named: a folder with `bin/`, or `Rscript` itself.
    pub(crate) fn configured(&self, path: &Path) -> Result<Found, Missing> {
        let executable = if path.is_dir() { path.join("bin/Rscript") } else { path.to_path_buf() };
        system::named(self, &executable).map(Found::Ready).map_err(|verdict| {
            let tried = vec![tell(&path.display().to_string(), verdict)];
            self.missing("the R named in cloister.toml cannot be used".to_owned(), tried, None)
        })
    }

    fn missing(&self, reason: String, tried: Vec<Tried>, fix: Option<String>) -> Missing {
        Missing { reference: self.reference.to_string(), code: "X205", reason, tried, fix }
    }
}

fn title(lock: &Lock) -> String {
    format!("R {} with {} packages of {}", lock.r, lock.r_packages(), lock.release)
}

fn tell(candidate: &str, verdict: String) -> Tried {
    Tried { candidate: candidate.to_owned(), verdict }
}

#[cfg(test)]
mod tests;
