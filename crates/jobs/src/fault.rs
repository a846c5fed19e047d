//! Named places where a test can kill this process or break this program: what the promises of spec jobs.md 9 and 25 are
//! tested with. Only in debug builds: in a release these calls are nothing.

use pipeline::ActionName;

/// Passes a place. `CLOISTER_FAULT=kill@claim.after:3` ends the process, as `kill -9` would, when it passes
/// `claim.after` for the third time, with `:0` each time; `panic@prepare.before#model` panics where the job of `model`
/// passes.
/// `CLOISTER_FAULT_TRACE=FILE` notes each place in a file.
#[cfg(debug_assertions)]
pub fn point(place: &str, action: Option<&ActionName>) {
    armed::pass(place, action.map(ActionName::as_str));
}

/// Nothing.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn point(_place: &str, _action: Option<&ActionName>) {}

#[cfg(debug_assertions)]
mod armed {
    use std::fs::File;
    use std::io::Write;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::{LazyLock, Mutex};

    enum What {
        Kill,
        Panic,
    }

    struct Armed {
        what: What,
        place: String,
        action: Option<String>,
        nth: u32,
        passed: AtomicU32,
    }

    fn read() -> Option<Armed> {
        let text = std::env::var("CLOISTER_FAULT").ok()?;
        let (what, rest) = text.split_once('@')?;
        let what = match what {
            "kill" => What::Kill,
            "panic" => What::Panic,
            _ => return None,
        };
        let (rest, action) = match rest.split_once('#') {
            Some((rest, action)) => (rest, Some(action.to_owned())),
            None => (rest, None),
        };
        let (place, nth) = match rest.split_once(':') {
            Some((place, nth)) => (place, nth.parse().ok()?),
            None => (rest, 1),
        };
        Some(Armed { what, place: place.to_owned(), action, nth, passed: AtomicU32::new(0) })
    }

    static ARMED: LazyLock<Option<Armed>> = LazyLock::new(read);
    static TRACE: LazyLock<Option<Mutex<File>>> = LazyLock::new(|| {
        let path = std::env::var_os("CLOISTER_FAULT_TRACE")?;
        File::options().append(true).create(true).open(path).ok().map(Mutex::new)
    });

    pub(super) fn pass(place: &str, action: Option<&str>) {
        if let Some(trace) = &*TRACE
            && let Ok(mut file) = trace.lock()
        {
            let _ = file.write_all(format!("{place}\n").as_bytes());
        }
        let Some(armed) = &*ARMED else { return };
        let is_it = armed.place == place && armed.action.as_deref().is_none_or(|wanted| Some(wanted) == action);
        if !is_it || ![0, armed.passed.fetch_add(1, Ordering::SeqCst) + 1].contains(&armed.nth) {
            return;
        }
        match armed.what {
            What::Kill => {
                let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
            }
            #[allow(clippy::panic, reason = "a test asked for it")]
            What::Panic => panic!("a fault injected at {place}"),
        }
    }
}
