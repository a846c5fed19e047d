//! `codelists check-upstream`: asks the site whether the listed versions are still what was downloaded.
//! Spec cli.md 7.2: C301 and C302.

use serde::Deserialize;

use crate::check::{Line, Passed, Report, Severity, State};
use crate::fault::{Error, Fault};
use crate::folder::Project;
use crate::http::{Ask, Asking, Client};
use crate::site::Site;
use crate::text::shown;

/// The most bytes of an answer.
const LARGEST_ANSWER: u64 = 16 << 20;

#[derive(Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
enum Answer {
    Ok,
    Error { data: Data },
}

#[derive(Deserialize)]
struct Data {
    error: Option<String>,
    #[serde(default)]
    added: Vec<String>,
    #[serde(default)]
    removed: Vec<String>,
    #[serde(default)]
    changed: Vec<String>,
}

impl Project {
    /// The local checks, and if they pass the site is asked.
    ///
    /// # Errors
    /// What the system says; in a workflow without a manifest also faults of the download.
    pub fn check_all(&self, site: &Site, asking: &Asking) -> Result<Report, Error> {
        let (mut report, passed) = self.check_with(asking.ci.then_some((site, asking)))?;
        if let Some(passed) = passed {
            compared(&passed, site, asking, &mut report);
        }
        Ok(report)
    }

    /// Only asks the site; codelists.txt and codelists.json must be there.
    ///
    /// # Errors
    /// What the system says.
    pub fn check_upstream(&self, site: &Site, asking: &Asking) -> Result<Report, Error> {
        let mut report = Report::default();
        let Some(disk) = self.read()? else { return Ok(report) };
        report.exists = true;
        let missing = Fault::Listing { why: "does not exist".into() };
        match (disk.listing, disk.manifest) {
            (Some(listing), Some(manifest)) => compared(&Passed { listing, manifest }, site, asking, &mut report),
            (None, _) => report.findings.push((Severity::Error, missing)),
            (_, None) => report.findings.push((Severity::Error, Fault::NoManifest)),
        }
        Ok(report)
    }
}

fn compared(passed: &Passed, site: &Site, asking: &Asking, report: &mut Report) {
    let stale = if asking.ci { Severity::Warning } else { Severity::Error };
    match ask(passed, site, asking) {
        Err(why) => report.findings.push((Severity::Note, Fault::NotCompared { site: site.address(), why })),
        Ok(None) => {}
        Ok(Some(data)) => {
            let what = words(&data);
            mark(&data, &mut report.lines);
            report.findings.push((stale, Fault::Upstream { site: site.address(), what }));
        }
    }
}

/// `None` if all is well; what differs otherwise.
fn ask(passed: &Passed, site: &Site, asking: &Asking) -> Result<Option<Data>, String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (codelists, manifest) = (text(&passed.listing), text(&passed.manifest));
    let fields = [("codelists", codelists.as_str()), ("manifest", manifest.as_str())];
    let answer = Client::new(asking)
        .ask(&site.check_address(), Ask::Post(&fields), LARGEST_ANSWER)
        .map_err(|failure| failure.why)?;
    match serde_json::from_slice(&answer.bytes) {
        Ok(Answer::Ok) => Ok(None),
        Ok(Answer::Error { data }) if !words(&data).is_empty() => Ok(Some(data)),
        _ => Err(format!("its answer (status {}) is not one that this program understands", answer.status.as_u16())),
    }
}

fn words(data: &Data) -> String {
    if let Some(error) = &data.error {
        return shown(error);
    }
    let parts = [("added", &data.added), ("removed", &data.removed), ("changed", &data.changed)];
    let parts = parts.iter().map(|(what, names)| crate::text::list_of(what, names)).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("; ")
}

/// The lines that the site's words are about.
fn mark(data: &Data, lines: &mut [Line]) {
    for line in lines {
        let is_this = |name: &String| *name == line.file || line.id.as_ref() == Some(name);
        if [&data.added, &data.removed, &data.changed].iter().any(|names| names.iter().any(is_this)) {
            line.state = State::Stale;
            line.detail = Some("changed at its source".to_owned());
        }
    }
}
