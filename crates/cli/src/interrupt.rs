//! Ctrl-C, TERM and HUP for commands that hold nothing to be ended in order: exit 130 or 143 at once.
//! Spec cli.md 2. What such a command writes is complete or not there at any instant.

use tokio::signal::unix::{SignalKind, signal};

/// From now on these signals end the program with the exit code of the table.
pub(crate) fn ends_the_program() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
    let Ok(runtime) = runtime else { return };
    // Without such a thread the signals end the program too, only with another code.
    let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(async {
            let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
            let [Ok(mut interrupt), Ok(mut terminate), Ok(mut hang_up)] = kinds.map(signal) else { return };
            let code = tokio::select! {
                _ = interrupt.recv() => 130,
                _ = terminate.recv() => 143,
                _ = hang_up.recv() => 143,
            };
            std::process::exit(code);
        });
    });
}
