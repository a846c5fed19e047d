//! What a person sees while jobs run: bars on a terminal, one line per change elsewhere. Spec cli.md 4.4.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use jobs::StatusCode;
use jobs::engine::{Event, JobReport, Stage};
use jobs::schedule::{Maintenance, Modes};
use pipeline::ActionName;
use pipeline::report::visible;

use crate::args;
use crate::terminal::{Terminal, uncommanding};
use crate::words;

/// Draws events as they come.
pub(crate) enum Progress {
    /// Nothing at all.
    None,
    /// One line `action: message` per change, with the time before it if wanted.
    Plain { timestamps: bool },
    /// Lines above, a row per running job below.
    Bars(Box<Bars>),
}

pub(crate) struct Bars {
    all: MultiProgress,
    total: ProgressBar,
    rows: HashMap<ActionName, ProgressBar>,
    usual: HashMap<ActionName, Duration>,
    started: HashMap<ActionName, Instant>,
    ascii: bool,
}

impl Progress {
    /// `usual`: how long past runs of an action took, for a guess at what is left.
    pub(crate) fn new(
        wanted: args::Progress,
        jobs: usize,
        usual: HashMap<ActionName, Duration>,
        timestamps: bool,
        terminal: &Terminal,
    ) -> Self {
        match wanted {
            args::Progress::None => return Self::None,
            args::Progress::Auto | args::Progress::Plain => return Self::Plain { timestamps },
            args::Progress::Bars => {}
        }
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        let total = all.add(ProgressBar::new(jobs as u64));
        let template = "{prefix:>20} {wide_bar} {pos}/{len} jobs, {elapsed}";
        total.set_style(style(template, terminal.ascii));
        total.set_prefix("total");
        total.enable_steady_tick(Duration::from_millis(500));
        let (rows, started) = (HashMap::new(), HashMap::new());
        Self::Bars(Box::new(Bars { all, total, rows, usual, started, ascii: terminal.ascii }))
    }

    /// Shows one change.
    pub(crate) fn show(&mut self, event: &Event, terminal: &Terminal) {
        match event {
            Event::Stage { action, stage } => {
                let message = stage_words(stage);
                self.line(action, &message, terminal);
                if let Self::Bars(bars) = self {
                    bars.row(action).set_message(message);
                }
            }
            Event::Sample { action, memory, .. } => {
                if let Self::Bars(bars) = self {
                    let message = bars.running(action, *memory);
                    bars.row(action).set_message(message);
                }
            }
            Event::PutBack { action, message } => {
                self.line(action, &visible(message), terminal);
                if let Self::Bars(bars) = self {
                    bars.drop_row(action);
                }
            }
            Event::Stuck { action, message } => self.line(action, &visible(message), terminal),
            Event::Modes(modes) => self.say(modes_words(*modes), terminal),
            Event::Finished(report) => self.finished(report, terminal),
        }
    }

    fn finished(&mut self, report: &JobReport, terminal: &Terminal) {
        let never_ran = report.log.is_none() && !report.succeeded() && report.exit_code.is_none();
        let is_its_own = !report.cancelled() && report.code != StatusCode::DependencyFailed;
        if never_ran && !is_its_own {
            // Never started, or stopped by the person: counted at the end, not listed here.
            if let Self::Bars(bars) = self {
                bars.drop_row(&report.action);
            }
            return;
        }
        let message = if report.cancelled() {
            "cancelled".to_owned()
        } else if report.succeeded() {
            format!("succeeded in {}", words::elapsed(Duration::from_secs_f64(report.seconds)))
        } else {
            format!("failed: {}", visible(report.message.lines().next().unwrap_or_default()))
        };
        self.line(&report.action, &message, terminal);
        if let Self::Bars(bars) = self {
            bars.drop_row(&report.action);
        }
    }

    fn line(&self, action: &ActionName, message: &str, terminal: &Terminal) {
        self.say(&uncommanding(&format!("{}: {message}", visible(action.as_str()))), terminal);
    }

    fn say(&self, text: &str, terminal: &Terminal) {
        match self {
            Self::None => {}
            Self::Plain { timestamps: true } => terminal.line(&format!("{} {text}", stamp())),
            Self::Plain { timestamps: false } => terminal.line(text),
            // Where standard error is no terminal the rows draw nothing, and neither does this.
            Self::Bars(bars) => bars.all.suspend(|| terminal.line(text)),
        }
    }

    /// Takes the rows away.
    pub(crate) fn end(&self) {
        if let Self::Bars(bars) = self {
            for row in bars.rows.values() {
                row.finish_and_clear();
            }
            bars.total.finish_and_clear();
        }
    }
}

impl Bars {
    fn drop_row(&mut self, action: &ActionName) {
        if let Some(row) = self.rows.remove(action) {
            row.finish_and_clear();
        }
        self.total.inc(1);
    }

    fn row(&mut self, action: &ActionName) -> &ProgressBar {
        self.started.entry(action.clone()).or_insert_with(Instant::now);
        let (all, total, ascii) = (&self.all, &self.total, self.ascii);
        self.rows.entry(action.clone()).or_insert_with(|| {
            let row = all.insert_before(total, ProgressBar::new_spinner());
            row.set_style(style("{prefix:>20} {spinner} {elapsed:>4} {wide_msg}", ascii));
            let name: String = visible(action.as_str()).chars().take(20).collect();
            row.set_prefix(name);
            row.enable_steady_tick(Duration::from_millis(100));
            row
        })
    }

    fn running(&self, action: &ActionName, memory: u64) -> String {
        let mut text = format!("executing, {}", words::bytes(memory));
        let usual = self.usual.get(action);
        let gone = self.started.get(action).map(Instant::elapsed);
        if let (Some(usual), Some(gone)) = (usual, gone)
            && *usual > gone
        {
            text.push_str(&format!(", ~{} left", words::elapsed(*usual - gone)));
        }
        text
    }
}

/// `2026-01-02 03:04:05.678Z`.
fn stamp() -> String {
    format!("{:.3}", jiff::Timestamp::now()).replace('T', " ")
}

fn style(template: &str, ascii: bool) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    if ascii { style.progress_chars("=> ").tick_chars("-\\|/ ") } else { style.progress_chars("━━─") }
}

fn stage_words(stage: &Stage) -> String {
    match stage {
        Stage::Preparing => "preparing".to_owned(),
        Stage::CopiedCode(files) => format!("copied code ({})", words::plural(*files, "file")),
        Stage::CopiedInput(path) => format!("copied input {}", visible(path)),
        Stage::Executing => "executing".to_owned(),
        Stage::Recording => "recording outputs".to_owned(),
        Stage::Recorded(path) => format!("recorded {}", visible(path)),
    }
}

/// What an operator has set, and how it is taken back.
fn modes_words(modes: Modes) -> &'static str {
    if modes.draining {
        "draining: what runs is stopped and nothing starts; `cloister backend drain --end` goes on"
    } else if modes.paused {
        "paused: nothing starts; `cloister backend pause off` goes on"
    } else if modes.maintenance != Maintenance::Off {
        "maintenance: nothing that reads the database runs; `cloister backend maintenance off` goes on"
    } else {
        "going on"
    }
}
