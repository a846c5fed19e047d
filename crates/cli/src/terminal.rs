//! Standard output and error: colour, width, plain ASCII, quiet, and what happens when a pipe closes or we have a bug.
//! Spec cli.md 2.

use std::io::{self, BufRead, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::args::{ColorChoice, Global};

/// What this run may print, and how.
#[derive(Debug, Clone)]
pub(crate) struct Terminal {
    /// Colour on standard output.
    pub(crate) color: bool,
    /// Colour on standard error.
    pub(crate) color_err: bool,
    /// Only ASCII marks.
    pub(crate) ascii: bool,
    /// Only results and errors.
    pub(crate) quiet: bool,
    /// Whether standard error is a terminal that can redraw lines.
    pub(crate) live: bool,
    /// Columns.
    pub(crate) width: usize,
}

impl Terminal {
    pub(crate) fn new(global: &Global) -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let wanted = |is_terminal: bool| match global.color {
            Some(ColorChoice::Always) => true,
            Some(ColorChoice::Never) => false,
            _ if set("NO_COLOR") => false,
            _ if std::env::var_os("CLICOLOR_FORCE").is_some_and(|v| v != "0" && !v.is_empty()) => true,
            _ => is_terminal && !dumb,
        };
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .iter()
            .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
        let unicode = locale.is_some_and(|l| l.to_ascii_lowercase().replace('-', "").contains("utf8"));
        let err = io::stderr().is_terminal();
        Self {
            color: wanted(io::stdout().is_terminal()),
            color_err: wanted(err),
            ascii: !unicode,
            quiet: global.quiet,
            live: err && !dumb && !set("CI"),
            width: columns(),
        }
    }

    /// Says nothing but results: for answers to a shell.
    pub(crate) fn silent() -> Self {
        Self { color: false, color_err: false, ascii: true, quiet: true, live: false, width: 80 }
    }

    /// Whether a person can be asked.
    pub(crate) fn can_ask() -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Asks, where there is somebody to ask; otherwise the answer is no.
    pub(crate) fn confirmed(question: &str) -> bool {
        if !Self::can_ask() {
            return false;
        }
        eprint!("{question} [y/N] ");
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer).is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
    }

    /// A line of results on standard output; a closed pipe ends the program quietly.
    pub(crate) fn line(&self, text: &str) {
        self.out(&format!("{text}\n"));
    }

    /// Text of results on standard output, as it is.
    pub(crate) fn out(&self, text: &str) {
        if let Err(fault) = io::stdout().lock().write_all(text.as_bytes())
            && !KEEP_GOING.load(Ordering::Relaxed)
        {
            leave(&fault);
        }
    }

    /// A remark on standard error, not with `--quiet`.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            self.error(text);
        }
    }

    /// An error or warning on standard error.
    pub(crate) fn error(&self, text: &str) {
        let text = text.trim_end_matches('\n');
        let on_github = std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true");
        let text = if on_github { uncommanding(text) } else { text.to_owned() };
        // Nothing more can be said when standard error itself is gone.
        let _ = writeln!(io::stderr().lock(), "{text}");
    }
}

/// Text in which a workflow on GitHub hears no command, blanks before it or not. Our own commands all go to standard output
/// and are not passed through here; what a study may have written is.
pub(crate) fn uncommanding(text: &str) -> String {
    let plain = text.replace("##[", "# #[");
    let lines = plain.split('\n').map(|line| {
        let start = line.trim_start();
        if start.starts_with("::") { format!("| {start}") } else { line.to_owned() }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// What the program was called: it behaves the same under the name of a link to it (spec cli.md 1).
pub(crate) fn program() -> &'static str {
    let called = std::env::args_os().next().map(std::path::PathBuf::from);
    let name = called.as_deref().and_then(std::path::Path::file_name);
    if name.is_some_and(|name| name == "opensafely") { "opensafely" } else { "cloister" }
}

/// Whether results that nobody reads are dropped instead of ending the program.
static KEEP_GOING: AtomicBool = AtomicBool::new(false);

/// From now on a closed pipe does not end the program.
pub(crate) fn keep_going() {
    KEEP_GOING.store(true, Ordering::Relaxed);
}

fn leave(fault: &io::Error) -> ! {
    std::process::exit(if fault.kind() == io::ErrorKind::BrokenPipe { 0 } else { 1 })
}

fn columns() -> usize {
    let told = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let asked = || rustix::termios::tcgetwinsize(io::stderr()).ok().map(|size| usize::from(size.ws_col));
    told.or_else(asked).filter(|&n| n >= 40).unwrap_or(80).min(200)
}

/// Replaces the bare backtrace of a bug by an apology, a report file and how to send it.
pub(crate) fn report_bugs() {
    std::panic::set_hook(Box::new(|info| {
        let report = format!(
            "cloister {} ({})\nplace: {}\nmessage: {}\narguments: {} words\n\n{}\n",
            env!("CARGO_PKG_VERSION"),
            env!("CLOISTER_COMMIT"),
            info.location().map_or_else(|| "unknown".to_owned(), ToString::to_string),
            info.payload_as_str().unwrap_or("no text"),
            std::env::args_os().count(),
            std::backtrace::Backtrace::force_capture(),
        );
        let path = std::env::temp_dir().join(format!("cloister-bug-{}.txt", std::process::id()));
        let written = std::fs::OpenOptions::new().write(true).create_new(true).open(&path);
        let kept = written.and_then(|mut file| file.write_all(report.as_bytes())).is_ok();
        let mut err = io::stderr().lock();
        let _ = writeln!(err, "Sorry: this is a bug in cloister, not in your study.");
        if kept {
            let _ = writeln!(err, "A report was written to {}; please attach it to an issue.", path.display());
        } else {
            let _ = writeln!(err, "{report}");
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remarks_are_no_commands() {
        let text = "note: a\n  ::error::b\n ##[add-mask]c d::e";
        assert_eq!(uncommanding(text), "note: a\n| ::error::b\n # #[add-mask]c d::e");
    }
}
