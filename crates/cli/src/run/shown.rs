//! What a run prints, in one of three forms: for people, for GitHub's workflow logs, as JSON lines.
//! Spec cli.md 4.4 to 4.6.

use std::time::Duration;

use jobs::RequestId;
use jobs::engine::{Event, RunSummary};
use jobs::explain::{PlanView, reason};
use jobs::local::Judged;
use pipeline::report::visible;

use super::progress::Progress;
use super::{github, json, report};
use crate::args::{self, Run, TextFormat};
use crate::exit::Exit;
use crate::project::Found;
use crate::settings::Settings;
use crate::terminal::Terminal;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Human,
    Github,
    Json,
}

/// The printing side of a run.
pub(crate) struct Shown {
    form: Form,
    timestamps: bool,
    wanted: args::Progress,
    progress: Progress,
    /// In the form for GitHub: no command of a line is heard until this comes.
    token: Option<RequestId>,
}

impl Shown {
    pub(crate) fn new(args: &Run, settings: &Settings, terminal: &Terminal) -> Self {
        let form = match args {
            _ if args.json || args.format == TextFormat::Json => Form::Json,
            _ if args.format_output_for_github => Form::Github,
            _ => Form::Human,
        };
        let set = || match settings.one("ui.progress") {
            Some("bars") => args::Progress::Bars,
            Some("plain") => args::Progress::Plain,
            Some("none") => args::Progress::None,
            _ => args::Progress::Auto,
        };
        let wanted = match args.progress.unwrap_or_else(set) {
            args::Progress::Auto if terminal.quiet => args::Progress::None,
            args::Progress::Auto if terminal.live && form == Form::Human => args::Progress::Bars,
            args::Progress::Auto => args::Progress::Plain,
            chosen => chosen,
        };
        let token = (form == Form::Github).then(|| github::begin(terminal)).flatten();
        Self { form, timestamps: args.timestamps, wanted, progress: Progress::None, token }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.form == Form::Json
    }

    /// Nothing is to be done.
    pub(crate) fn nothing(&self, view: &PlanView, terminal: &Terminal) {
        if self.is_json() {
            terminal.line(&json::started(view));
            terminal.line(&json::finished(&RunSummary::default(), view.actions.len(), 0));
            return;
        }
        for action in &view.actions {
            terminal.line(&format!("{}: reused: {}", visible(action.action.as_str()), reason(action, view)));
        }
        self.remarks(view, terminal);
        github::end(self.token, terminal);
        terminal.line("nothing to run; `cloister run -f ACTION` runs it and all it needs again");
    }

    /// What will run, and what is reused.
    pub(crate) fn begin(&self, view: &PlanView, terminal: &Terminal) {
        if self.is_json() {
            return terminal.line(&json::started(view));
        }
        let names: Vec<_> = view.new_actions().map(|action| visible(action.action.as_str()).into_owned()).collect();
        terminal.line(&format!("running {}: {}", crate::words::plural(names.len(), "action"), names.join(", ")));
        let plain = |reason: jobs::Reason| matches!(reason, jobs::Reason::Requested | jobs::Reason::NeverRun);
        for action in view.actions.iter().filter(|action| !action.is_new() || !plain(action.reason)) {
            let word = if action.is_new() { "" } else { "reused: " };
            terminal.line(&format!("{}: {word}{}", visible(action.action.as_str()), reason(action, view)));
        }
        self.remarks(view, terminal);
    }

    fn remarks(&self, view: &PlanView, terminal: &Terminal) {
        for warning in &view.warnings {
            terminal.note(&format!("warning: {warning}"));
        }
    }

    /// The jobs are about to start.
    pub(crate) fn jobs(&mut self, count: usize, judged: &Judged, terminal: &Terminal) {
        if self.is_json() {
            return;
        }
        let usual = judged
            .past
            .iter()
            .filter_map(|(action, past)| Some((action.clone(), Duration::from_millis(past.milliseconds?))));
        self.progress = Progress::new(self.wanted, count, usual.collect(), self.timestamps, terminal);
    }

    pub(crate) fn event(&mut self, event: &Event, terminal: &Terminal) {
        match self.form {
            Form::Json => json::event(event).into_iter().for_each(|line| terminal.line(&line)),
            Form::Human | Form::Github => self.progress.show(event, terminal),
        }
    }

    /// All jobs have ended.
    pub(crate) fn end(&self) {
        self.progress.end();
    }

    #[allow(clippy::too_many_arguments, reason = "one call, at the end of a run")]
    pub(crate) fn report(
        &self,
        summary: &RunSummary,
        view: &PlanView,
        reused: usize,
        time: Duration,
        exit: Exit,
        found: &Found,
        terminal: &Terminal,
    ) {
        let counts = report::counts(&summary.reports, summary.not_started.len(), reused, time);
        match self.form {
            Form::Json => terminal.line(&json::finished(summary, reused, exit.code())),
            Form::Human => {
                terminal.line("");
                terminal.out(&report::blocks(&summary.reports));
                self.out_of_date(view, terminal);
                terminal.line(&counts);
            }
            Form::Github => {
                self.out_of_date(view, terminal);
                github::end(self.token, terminal);
                terminal.out(&github::blocks(&summary.reports, view, found));
                github::page(summary, &counts, terminal);
                terminal.line(&counts);
            }
        }
    }

    /// With `--stale keep` what was reused out of date is said again at the end.
    fn out_of_date(&self, view: &PlanView, terminal: &Terminal) {
        let stale = |action: &&jobs::explain::ActionView| {
            !action.is_new() && action.staleness.as_ref().is_some_and(jobs::Staleness::is_stale)
        };
        for action in view.actions.iter().filter(stale) {
            terminal.line(&format!("{}: reused, but {}", visible(action.action.as_str()), reason(action, view)));
        }
    }
}
