//! `cloister check`: every fault of a study, without running anything. Spec cli.md 3.

mod codelists;
mod codes;
mod studies;

use std::error::Error;
use std::io::{Read, Write};
use std::path::Path;

use ::study::record::SandboxFence;
use jobs::reusable::Ask;
use pipeline::report::{CheckDocument, Counts, HumanOptions, ProjectInfo};
use pipeline::{Diagnostic, Registry, Severity, report};
use sha1::Digest;

use crate::args::{Check, CheckFormat, CheckPart, Global};
use crate::exit::Exit;
use crate::project::{self, Found};
use crate::recorder;
use crate::reusable;
use crate::settings::Settings;
use crate::terminal::Terminal;
use crate::words::plural;

use self::codelists::Other;

pub(crate) fn check(args: &Check, global: &Global, terminal: &Terminal) -> Result<Exit, Box<dyn Error>> {
    if let Some(code) = &args.explain {
        return Ok(explain(code, terminal));
    }
    let from_stdin = args.path == Path::new("-");
    if let Some(wrong) = args.allow.iter().find_map(|code| codes::hidden(code)).or_else(|| codes::unknown(&args.deny)) {
        terminal.error(&format!("error: {wrong}"));
        return Ok(Exit::Usage);
    }
    let mut found = if from_stdin { stdin()? } else { project::find_path(&args.path, terminal)? };
    let settings = settings(global, (!from_stdin).then_some(found.folder.as_path()), terminal)?;
    let ask = if args.resolve { Ask::Always } else { Ask::Never };
    let found_in = |found: &Found| -> Result<Shown, Box<dyn Error>> {
        let known = reusable::look_up(found, None, ask, &settings, global, terminal)?.registry;
        Ok(faults(found, &known, args, &settings, &|| recorder::by_hand(global, terminal), terminal))
    };
    let mut faults = found_in(&found)?;
    if args.fix && fix(&found, &faults.own, args, terminal)? {
        found = project::again(&found)?;
        faults = found_in(&found)?;
    }
    print(&found, &faults, args, terminal);
    Ok(if faults.failed { Exit::No } else { Exit::Done })
}

/// All that is wrong with a study, by file, as far as this command line asks for it.
fn faults(
    found: &Found,
    registry: &Registry,
    args: &Check,
    settings: &Settings,
    fence: &dyn Fn() -> Result<SandboxFence, String>,
    terminal: &Terminal,
) -> Shown {
    let from_stdin = args.path == Path::new("-");
    let with_files = !from_stdin && (args.only.is_empty() || args.only.contains(&CheckPart::Files));
    let with_codelists = !from_stdin && (args.only.is_empty() || args.only.contains(&CheckPart::Codelists));
    let with_studies = !from_stdin && (args.only.is_empty() || args.only.contains(&CheckPart::Studies));
    // Nothing can be said of studies before it is known which of them actions name.
    let of_project = args.only.is_empty()
        || args.only.iter().any(|part| !part.is_beside())
        || (with_studies && found.loaded.project.is_none());
    let all = if !of_project {
        Vec::new()
    } else if with_files {
        found.diagnostics(registry)
    } else {
        found.loaded.diagnostics.clone()
    };
    let (own, mut hidden) = judge(all, args, settings);
    let mut others = if with_codelists { codelists::faults(&found.folder) } else { Vec::new() };
    if with_studies && let Some(project) = &found.loaded.project {
        others.extend(studies::faults(project, &found.folder, fence, terminal));
    }
    for other in &mut others {
        let (left, more) = judge(std::mem::take(&mut other.diagnostics), args, settings);
        (other.diagnostics, hidden) = (left, hidden + more);
    }
    others.retain(|other| !other.diagnostics.is_empty());
    let least = if args.strict { Severity::Warning } else { Severity::Error };
    let everything = own.iter().chain(others.iter().flat_map(|other| &other.diagnostics));
    let failed = everything.into_iter().any(|d| d.severity >= least);
    Shown { own, others, hidden, failed, strict: args.strict }
}

fn stdin() -> Result<Found, Box<dyn Error>> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().take(9 << 20).read_to_end(&mut bytes)?;
    let loaded = pipeline::load(&bytes, "<stdin>");
    Ok(Found { folder: "/nonexistent".into(), file: "<stdin>".into(), bytes, loaded })
}

/// Settings of the user and of the study, their warnings shown once.
pub(crate) fn settings(global: &Global, study: Option<&Path>, terminal: &Terminal) -> Result<Settings, Box<dyn Error>> {
    let settings = usable_settings(global, study, terminal);
    if settings.faults.is_empty() {
        return Ok(settings);
    }
    let faults: Vec<String> = settings.faults.iter().map(ToString::to_string).collect();
    Err(faults.join("\n").into())
}

/// The same for a command that goes on with what can be used; the faults are for the caller to show.
pub(crate) fn usable_settings(global: &Global, study: Option<&Path>, terminal: &Terminal) -> Settings {
    let instead = match &global.config {
        Some(Some(path)) => Some(path.as_path()),
        _ => None,
    };
    let settings = Settings::read(instead, study);
    for warning in &settings.warnings {
        terminal.note(&report::visible(warning));
    }
    settings
}

/// Applies `--allow` and `--deny` (and the same lists of the settings); an error can never be hidden.
fn judge(all: Vec<Diagnostic>, args: &Check, settings: &Settings) -> (Vec<Diagnostic>, usize) {
    let listed = |own: &[String], name: &str, d: &Diagnostic| {
        own.iter().chain(settings.list(name)).any(|code| code.eq_ignore_ascii_case(d.code.0))
    };
    let before = all.len();
    let shown: Vec<Diagnostic> = all
        .into_iter()
        .map(|mut d| {
            if listed(&args.deny, "check.deny", &d) {
                d.severity = Severity::Error;
            }
            d
        })
        .filter(|d| d.severity == Severity::Error || !listed(&args.allow, "check.allow", d))
        .collect();
    let hidden = before - shown.len();
    (shown, hidden)
}

/// What is left to print.
struct Shown {
    /// Of project.yaml.
    own: Vec<Diagnostic>,
    others: Vec<Other>,
    hidden: usize,
    failed: bool,
    strict: bool,
}

impl Shown {
    fn counts(&self) -> Counts {
        let others = self.others.iter().map(|other| Counts::of(&other.diagnostics));
        others.fold(Counts::of(&self.own), Counts::and)
    }
}

fn print(found: &Found, shown: &Shown, args: &Check, terminal: &Terminal) {
    let name = found.name();
    let program = env!("CARGO_PKG_VERSION");
    let others: Vec<(&str, &[Diagnostic])> =
        shown.others.iter().map(|other| (other.name.as_str(), other.diagnostics.as_slice())).collect();
    let files: Vec<(&str, &[Diagnostic])> =
        std::iter::once((name.as_str(), shown.own.as_slice())).chain(others.iter().copied()).collect();
    match args.format {
        CheckFormat::Human => {
            let mut blocks = vec![human(found, &shown.own, terminal, terminal.color)];
            let options = HumanOptions { color: terminal.color, ascii: terminal.ascii, width: terminal.width };
            blocks.extend(shown.others.iter().map(|o| report::human(&o.text, &o.name, &o.diagnostics, &options)));
            blocks.retain(|block| !block.is_empty());
            terminal.out(&blocks.join("\n"));
            if !blocks.is_empty() {
                terminal.line("");
            }
            terminal.line(&summary(found, shown));
        }
        CheckFormat::Short => files.iter().for_each(|(name, all)| terminal.out(&report::short(name, all))),
        CheckFormat::Github => files.iter().for_each(|(name, all)| terminal.out(&report::github(name, all))),
        CheckFormat::Sarif => terminal.out(&report::sarif(program, &files)),
        CheckFormat::Json => {
            let sha256 = data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(&found.bytes));
            let project = found.loaded.project.as_ref().or(found.loaded.partial.as_ref());
            let project = project.map(|project| ProjectInfo::of(project, &name, sha256));
            let (project, diagnostics, ok) = (project.as_ref(), shown.own.as_slice(), !shown.failed);
            let document = CheckDocument { program, ok, path: &name, project, diagnostics, others: &others };
            terminal.out(&report::json(&document));
        }
    }
}

/// The human form of diagnostics, as on this terminal.
pub(crate) fn human(found: &Found, shown: &[Diagnostic], terminal: &Terminal, color: bool) -> String {
    let options = HumanOptions { color, ascii: terminal.ascii, width: terminal.width };
    report::human(&found.text(), &found.name(), shown, &options)
}

fn summary(found: &Found, shown: &Shown) -> String {
    let counts = shown.counts();
    let mut parts: Vec<String> = [(counts.errors, "error"), (counts.warnings, "warning"), (counts.notes, "note")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| plural(count, word))
        .collect();
    if shown.hidden > 0 {
        parts.push(format!("{} hidden", shown.hidden));
    }
    let project = found.loaded.project.as_ref().or(found.loaded.partial.as_ref());
    let actions = project.map(|p| plural(p.actions.len(), "action"));
    let own = (!shown.own.is_empty() || shown.others.is_empty()).then(|| found.name());
    let name =
        own.into_iter().chain(shown.others.iter().map(|other| other.name.clone())).collect::<Vec<_>>().join(", ");
    let strict = if shown.strict && counts.warnings > 0 { "; with --strict warnings count as errors" } else { "" };
    match (parts.is_empty(), actions) {
        (true, Some(actions)) => format!("{name}: {actions}, no faults"),
        (true, None) => format!("{name}: no faults"),
        (false, Some(actions)) => format!("{} in {name} ({actions}){strict}", parts.join(", ")),
        (false, None) => format!("{} in {name}{strict}", parts.join(", ")),
    }
}

/// Applies what is sure; whether the file was written. What is printed as a result is only what is left then.
fn fix(found: &Found, shown: &[Diagnostic], args: &Check, terminal: &Terminal) -> Result<bool, Box<dyn Error>> {
    let Ok(old) = std::str::from_utf8(&found.bytes) else { return Ok(false) };
    let Some(fixed) = report::apply_fixes(old, shown) else {
        terminal.note("nothing here has a fix that is sure");
        return Ok(false);
    };
    let after = pipeline::load(fixed.text.as_bytes(), &found.name());
    if Counts::of(&after.diagnostics).errors > Counts::of(&found.loaded.diagnostics).errors {
        terminal.note("the fixes together would make a new fault; nothing is written");
        return Ok(false);
    }
    let diff = report::diff(old, &fixed.text, &found.name());
    if args.format == CheckFormat::Human {
        terminal.out(&diff);
    } else {
        // The output is for a program.
        terminal.note(diff.trim_end());
    }
    if args.dry_run {
        return Ok(false);
    }
    if !args.allow_dirty && uncommitted(&found.file, &found.bytes) {
        terminal.error("error: this file has uncommitted changes; commit them first, or add --allow-dirty");
        return Ok(false);
    }
    write_over(&found.file, fixed.text.as_bytes())?;
    for title in &fixed.applied {
        terminal.note(&format!("{}: {}", found.name(), report::visible(title)));
    }
    Ok(true)
}

/// Whether git knows the file and it differs from the last commit.
fn uncommitted(file: &Path, bytes: &[u8]) -> bool {
    let (Some(folder), Some(name)) = (file.parent(), file.file_name().and_then(|name| name.to_str())) else {
        return false;
    };
    ::codelists::Committed::of(folder, name, bytes) == ::codelists::Committed::Other
}

fn write_over(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = file.parent().unwrap_or_else(|| Path::new("."));
    let temporary = folder.join(format!(".project.yaml.{}", std::process::id()));
    let mut out = std::fs::OpenOptions::new().write(true).create_new(true).open(&temporary)?;
    out.write_all(bytes)?;
    out.set_permissions(std::fs::metadata(file)?.permissions())?;
    out.sync_all()?;
    std::fs::rename(&temporary, file)
}

fn explain(code: &str, terminal: &Terminal) -> Exit {
    let code = code.to_ascii_uppercase();
    match pipeline::explain::page(&code) {
        Some(page) => {
            let options = HumanOptions { color: terminal.color, ascii: terminal.ascii, width: terminal.width };
            terminal.out(&pipeline::explain::print(&page, &options));
            Exit::Done
        }
        None if code.starts_with(['X', 'C']) => {
            terminal.error(&format!(
                "error: there is no page for `{}`: pages are for P codes, the faults of a project.yaml; \
                 C codes (codelists) and X codes (running) say what to do where they are shown",
                report::visible(&code)
            ));
            Exit::Usage
        }
        None => {
            let near = pipeline::nearest(&code, pipeline::explain::codes());
            let hint = if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(" or ")) };
            terminal.error(&format!("error: there is no code `{}`{hint}", report::visible(&code)));
            Exit::Usage
        }
    }
}
