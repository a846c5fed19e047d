//! Ctrl-C, TERM and HUP: the first ends the run in order, the second at once.
//! Spec cli.md 2 (exit codes), 4.4.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Which exit code the signal that came stands for; 0: none came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Came(Arc<AtomicU8>);

impl Came {
    pub(crate) fn exit_code(&self) -> Option<u8> {
        Some(self.0.load(Ordering::Relaxed)).filter(|&code| code != 0)
    }
}

/// Listens from now on. `first` is called when the first one came, after the run was told.
pub(crate) fn listen(first: impl Fn() + Send + 'static) -> std::io::Result<(watch::Receiver<bool>, Came)> {
    let (tell, told) = watch::channel(false);
    let came = Came::default();
    let noted = came.clone();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        loop {
            let code = tokio::select! {
                Some(()) = interrupt.recv() => 130,
                Some(()) = terminate.recv() => 143,
                Some(()) = hang_up.recv() => 143,
                else => return,
            };
            if noted.exit_code().is_some() {
                // The sandboxes die with this process; the next command repairs the records.
                std::process::exit(i32::from(code));
            }
            noted.0.store(code, Ordering::Relaxed);
            let _ = tell.send(true);
            first();
        }
    });
    Ok((told, came))
}

/// A line for the person who pressed the keys. The terminal may be gone: that is when HUP comes.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
