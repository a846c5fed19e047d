//! A built-in action in the folder where one stands, without a job around it:
//! `cargo run --release -p actions --example action -- cohortextractor:latest generate_cohort --expectations-population 10000`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a tool for whoever measures")]

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use study::record::{ChildFence, Fence, Python};

fn fence() -> Result<Box<dyn Fence>, String> {
    let ask = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output();
    let answer = ask.map_err(|error| format!("there is no python3: {error}"))?.stdout;
    let python = PathBuf::from(String::from_utf8_lossy(&answer).trim());
    let python = python.canonicalize().map_err(|error| error.to_string())?;
    Ok(Box::new(ChildFence::new(Python::at(python))))
}

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let (reference, arguments) = arguments.split_first().expect("the name of an action");
    let folder = std::env::current_dir().expect("a folder to stand in");
    let (mut out, mut err) = (std::io::stdout().lock(), std::io::stderr().lock());
    let mut context = actions::Context::by_hand(&folder, &mut out, &mut err);
    context.fence = &fence;
    ExitCode::from(actions::run(&reference.to_string_lossy(), arguments, &mut context))
}
