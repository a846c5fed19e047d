//! `cloister run`: plans, gets the runtimes ready, runs, reports. Spec cli.md 4.

mod github;
mod json;
mod options;
mod progress;
mod report;
mod runtimes;
mod shown;
pub(crate) mod signals;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use jobs::Plan;
use jobs::engine::{self, AfterFailure, Controls, RunSummary};
use jobs::explain::PlanView;
use jobs::local::{Judged, Judging, Study, Submission, code_tree};
use jobs::reusable::Ask;
use pipeline::report::visible;
use pipeline::{ActionName, Project, Severity};
use sandbox::{Native, Runtime, Unisolated};

use crate::args::{self, Global, Isolation, PlanFormat, Run, RuntimeChoice};
use crate::check::settings;
use crate::exit::Exit;
use crate::planning::{self, Located, images, locate, refused, request, sound, view};
use crate::project::Found;
use crate::reusable::{self, Looked};
use crate::terminal::Terminal;
use crate::{env, plan, project, terminal};
use options::RunOptions;
use runtimes::Gap;
use shown::Shown;

/// Warnings of project.yaml that are shown before a run; `check` shows all.
const SHOWN_WARNINGS: usize = 5;

pub(crate) fn run(args: &Run, global: &Global, terminal: &Terminal) -> Result<Exit, Box<dyn Error>> {
    let mut found = project::find(args.selection.project_dir.as_deref(), terminal)?;
    planning::dummies(&args.selection, &mut found)?;
    let settings = settings(global, Some(&found.folder), terminal)?;
    let options = match options::of(args, &settings, &found.folder) {
        Ok(options) => options,
        Err(unusable) => {
            terminal.error(&unusable.to_string());
            return Ok(Exit::Usage);
        }
    };
    let Some(project) = sound(&found, &found.loaded.diagnostics, terminal) else { return Ok(Exit::No) };
    if args.selection.actions.is_empty() {
        return Err(format!("error[X102]: say which actions to run\n{}", planning::valid(project)).into());
    }
    if args.dry_run {
        let selection = args.selection.clone();
        let format =
            if args.json || args.format == args::TextFormat::Json { PlanFormat::Json } else { PlanFormat::Human };
        let args = args::Plan { selection, request_id: None, why: None, resolve: false, expand: false, format };
        return plan::plan(&args, global, terminal);
    }
    let request = request(&args.selection, &settings);
    // A wrong name is told before anything is looked for or written.
    jobs::plan::plan(project, &request, &BTreeMap::new()).map_err(|bad| refused(&bad, project))?;
    let looked = reusable::look_up(&found, Some(&request.requested), Ask::Missing, &settings, global, terminal)?;
    // Who goes on after failures goes on without what nothing here can run: it is told as a gap.
    let must = if args.continue_on_error { &[][..] } else { &request.requested };
    let diagnostics = found.diagnostics_for(must, &looked.registry);
    let Some(project) = sound(&found, &diagnostics, terminal) else { return Ok(Exit::No) };
    let project = &looked.expand(project);
    if args.runtime == RuntimeChoice::Container || options.isolation == Isolation::Container {
        let text = "error[X205]: this version starts no containers yet\n  = help: leave --runtime and --isolation out: native runtimes are built from locked lists";
        return Err(text.into());
    }
    warnings(&found, &diagnostics, terminal);
    let located = locate(project, &env::options(&settings, global, Some(&found.folder), Some(project))?);
    // A thread waits for each running job, and others must be able to stop it.
    let threads = options.concurrency.saturating_mul(2).saturating_add(64);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(threads)
        .enable_all()
        .build()?;
    let runs = env::runs_folder()?;
    // A run goes on when nobody reads any more: its exit code tells how it ended.
    terminal::keep_going();
    let shown = Shown::new(args, &settings, terminal);
    let debug = global.debug;
    let work = Work { found: &found, project, looked, options, located, request, terminal, shown, runs, debug };
    let exit = runtime.block_on(work.run());
    // Threads that wait for a stuck sandbox do not keep the program alive.
    runtime.shutdown_background();
    exit
}

fn warnings(found: &Found, diagnostics: &[pipeline::Diagnostic], terminal: &Terminal) {
    let all: Vec<_> = diagnostics.iter().filter(|d| d.severity == Severity::Warning).cloned().collect();
    let first = &all[..all.len().min(SHOWN_WARNINGS)];
    if !first.is_empty() {
        terminal.note(pipeline::report::short(&found.name(), first).trim_end());
    }
    if all.len() > first.len() {
        terminal.note(&format!("and {} more warnings: see `cloister check`", all.len() - first.len()));
    }
}

/// One run with all that it needs.
struct Work<'a> {
    found: &'a Found,
    project: &'a Project,
    looked: Looked,
    options: RunOptions,
    located: Located,
    request: jobs::PlanRequest,
    terminal: &'a Terminal,
    shown: Shown,
    /// Where sandboxes live.
    runs: PathBuf,
    /// Keep them.
    debug: bool,
}

impl Work<'_> {
    async fn run(mut self) -> Result<Exit, Box<dyn Error>> {
        let begun = Instant::now();
        let runtime: Arc<dyn Runtime> = match self.options.isolation {
            Isolation::None => Arc::new(Unisolated::default()),
            Isolation::Auto | Isolation::Namespaces | Isolation::Container => Arc::new(Native::default()),
        };
        // Attempts in child processes: they take their time while the rest is prepared.
        let probe = runtime.clone();
        let probe = tokio::task::spawn_blocking(move || probe.probe());
        let settings = self.options.settings.clone();
        let study =
            Study::open(&self.found.folder, &self.runs, runtime, settings, self.debug).await.map_err(shown_error)?;
        self.recover(&study).await?;
        let snapshot = study.snapshot(self.project)?;
        let code = code_tree(&snapshot.tree);
        let images = images(self.project, &self.located);
        let reusable = self.looked.stored(&study.workshop().store, self.terminal)?;
        let judging = Judging { project: self.project, code: &code, images: &images, reusable: &reusable };
        let judged = study.view().judge(&judging).await?;
        let mut plan =
            jobs::plan::plan(self.project, &self.request, &judged.latest).map_err(|bad| refused(&bad, self.project))?;
        let gaps = runtimes::gaps(self.project, &plan, &self.located);
        if !gaps.is_empty() {
            let left = self.without(&gaps);
            if self.options.rules.after_failure == AfterFailure::Stop || left.is_empty() {
                // What was never fetched has its own words.
                self.looked.complete(self.project, &plan)?;
                return Err(runtimes::told(&gaps).into());
            }
            self.terminal.error(&runtimes::told(&gaps));
            self.terminal.error("warning: --continue-on-error: what does not need that runs all the same");
            self.request.requested = left;
            plan = jobs::plan::plan(self.project, &self.request, &judged.latest)
                .map_err(|bad| refused(&bad, self.project))?;
        }
        let view = view(self.project, &self.request, &plan, &judged, &self.located, None);
        for note in &snapshot.notes {
            self.terminal.note(&format!("note: {note}"));
        }
        if plan.nothing_to_do.is_some() {
            self.shown.nothing(&view, self.terminal);
            study.close().await?;
            return Ok(if gaps.is_empty() { Exit::Done } else { Exit::No });
        }
        self.check_isolation(&probe.await?)?;
        self.looked.complete(self.project, &plan)?;
        let programs = runtimes::ready(self.project, &plan, &self.located, self.terminal)?;
        self.check_overlays(&programs)?;
        self.ignored_by_git(&study).await?;
        self.looked.pin(&self.found.folder)?;
        self.shown.begin(&view, self.terminal);
        let tree = Arc::new(snapshot.tree);
        let what = Submission {
            project: self.project,
            request: &self.request,
            plan: &plan,
            judged: &judged,
            tree: tree.clone(),
            code,
            reusable: &reusable,
            programs: &programs,
        };
        let works = study.submit(what).await?;
        let (summary, came) = self.conduct(&study, works, &judged).await?;
        let exit = match self.report(&summary, &view, &plan, came, begun) {
            Exit::Done if !gaps.is_empty() => Exit::No,
            exit => exit,
        };
        if let Err(error) = study.tidy(self.project, &tree).await {
            self.terminal.error(&format!("warning: old objects could not be removed: {error}"));
        }
        if let Err(error) = study.close().await {
            self.terminal.error(&format!("warning: the records could not be closed: {error}"));
        }
        Ok(exit)
    }

    /// What is left of the request when a run goes on without what nothing here can run.
    fn without(&self, gaps: &[Gap<'_>]) -> Vec<ActionName> {
        let lacking: BTreeSet<&ActionName> = gaps.iter().flat_map(|gap| gap.actions.iter().copied()).collect();
        let asked = self.project.reached(&self.request.requested);
        let can = |name: &&&ActionName| self.project.reached(std::slice::from_ref(**name)).is_disjoint(&lacking);
        asked.iter().filter(can).map(|name| (*name).clone()).collect()
    }

    async fn recover(&self, study: &Study) -> Result<(), Box<dyn Error>> {
        let recovered = study.recover().await?;
        if recovered.cancelled > 0 {
            let count = crate::words::plural(recovered.cancelled, "job");
            self.terminal.note(&format!("note: an earlier run was interrupted; {count} of it cancelled"));
        }
        for action in &recovered.published {
            self.terminal
                .note(&format!("note: results of {} from an interrupted run are in place now", visible(action)));
        }
        for problem in &recovered.problems {
            self.terminal.error(&format!("warning: {}", visible(problem)));
        }
        Ok(())
    }

    fn check_isolation(&self, found: &sandbox::Capabilities) -> Result<(), Box<dyn Error>> {
        if self.options.isolation == Isolation::None {
            self.terminal.error(
                "warning: --isolation none: nothing shuts study code in; it can read and change all that you can",
            );
            return Ok(());
        }
        let missing: Vec<String> =
            found.missing().map(|(name, why)| format!("\n  {name}: {}", why.replace('\n', "\n    "))).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let text = format!(
            "error[X204]: this machine cannot shut study code in:{}\n  = help: mend that, or trust this study with \
             your files and use --isolation none",
            missing.concat()
        );
        Err(text.into())
    }

    /// What is laid over the system's folders needs namespaces.
    fn check_overlays(&self, programs: &jobs::local::Runtimes) -> Result<(), Box<dyn Error>> {
        let laid_over =
            |root: &sandbox::Root| matches!(root, sandbox::Root::Host { overlays, .. } if !overlays.is_empty());
        let needs = programs.values().find(|program| laid_over(&program.root));
        match needs.filter(|_| self.options.isolation == Isolation::None) {
            None => Ok(()),
            Some(program) => Err(format!(
                "error[X204]: {} cannot run with --isolation none: its packages are laid over the system's folders\n  \
                 = help: name a runtime of your own in cloister.toml (docs/running.md)",
                program.located.reference
            )
            .into()),
        }
    }

    /// Says once that metadata/ belongs in .gitignore.
    async fn ignored_by_git(&self, study: &Study) -> Result<(), Box<dyn Error>> {
        const TOLD: &str = "told_of_gitignore";
        let folder = &self.found.folder;
        let text = crate::project::read(&folder.join(".gitignore")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let ignored = text.lines().any(|line| line.trim().trim_matches('/').starts_with("metadata"));
        let state = &study.workshop().state;
        if ignored || !folder.join(".git").exists() || state.flags().await?.iter().any(|flag| flag.name == TOLD) {
            return Ok(());
        }
        self.terminal.note("note: metadata/ holds logs and records of runs; add it to .gitignore");
        state.set_flag(TOLD, Some("yes"), jiff::Timestamp::now()).await?;
        Ok(())
    }

    async fn conduct(
        &mut self,
        study: &Study,
        works: Vec<engine::Work>,
        judged: &Judged,
    ) -> Result<(RunSummary, Option<u8>), Box<dyn Error>> {
        let quiet = self.shown.is_json();
        let (interrupt, came) = signals::listen(move || {
            if !quiet {
                signals::say("stopping: jobs get 3 seconds to end (once more: at once)");
            }
        })?;
        let (events, mut heard) = tokio::sync::mpsc::unbounded_channel();
        let (shop, rules) = (study.workshop().clone(), self.options.rules);
        let controls = Controls::with_bell(&study.bell(), interrupt);
        self.shown.jobs(works.len(), judged, self.terminal);
        let jobs = tokio::spawn(engine::run(shop, works, rules, events, controls));
        while let Some(event) = heard.recv().await {
            self.shown.event(&event, self.terminal);
        }
        self.shown.end();
        let ended = jobs.await.unwrap_or_else(|fault| match fault.try_into_panic() {
            // A bug of this program is told as one.
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Ok(RunSummary::default()),
        });
        Ok((ended?, came.exit_code()))
    }

    fn report(&self, summary: &RunSummary, view: &PlanView, plan: &Plan, came: Option<u8>, begun: Instant) -> Exit {
        let reused = plan.visited.iter().filter(|visited| !visited.is_new()).count();
        let succeeded = summary.not_started.is_empty()
            && summary.reports.iter().all(|report| report.succeeded() && report.in_place);
        let exit = match came {
            Some(code) => Exit::Other(code),
            None if succeeded => Exit::Done,
            None => Exit::No,
        };
        self.shown.report(summary, view, reused, begun.elapsed(), exit, self.found, self.terminal);
        exit
    }
}

/// X104 names who has the lock; other errors speak for themselves.
fn shown_error(error: jobs::local::LocalError) -> Box<dyn Error> {
    match error {
        jobs::local::LocalError::Locked { .. } => format!("error[X104]: {error}").into(),
        other => other.into(),
    }
}
