//! The supervisor of sandboxed runs in this room's tests, which `cargo test` and `cargo nextest run` build first:
//! `cargo run -p study --example supervisor -- FOLDER MODULE PYTHON [SUPERVISOR]` records one study by hand.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use study::record::{Python, Request, SandboxFence, record};

fn main() -> ExitCode {
    if sandbox::entry::is_supervisor_call(std::env::args_os()) {
        return sandbox::entry::run();
    }
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [root, module, python] = words.as_slice() else {
        eprintln!("usage: supervisor FOLDER MODULE PYTHON");
        return ExitCode::from(2);
    };
    let fence = SandboxFence::new(Python::at(python), Arc::new(sandbox::Native::default()));
    let request = Request { root: Path::new(root), module, params: &[], backend: "expectations" };
    match record(&request, &fence) {
        Ok(recorded) => {
            eprint!("{}", recorded.printed);
            println!("{}", String::from_utf8_lossy(&recorded.json));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}\n{}", error.as_fault().map_or("", |fault| &fault.printed));
            ExitCode::FAILURE
        }
    }
}
