//! Locates and builds one runtime by hand, and starts a command in it without a sandbox:
//! `cargo run -p runtimes --example environment -- [--offline] python:v1 [ARG…]`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at its first surprise")]

use std::error::Error;
use std::process::{Command, ExitCode};
use std::time::Instant;

use pipeline::RuntimeRef;
use runtimes::{Builtins, Found, Options, Places, build, default_cache_dir, locate};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut words = std::env::args().skip(1).peekable();
    let offline = words.next_if_eq("--offline").is_some();
    let word = words.next().ok_or("name:tag is missing")?;
    let (name, tag) = word.split_once(':').ok_or("name:tag is missing")?;
    let options = Options {
        cache_dir: default_cache_dir().ok_or("no cache folder")?,
        offline,
        packages: None,
        builtins: Builtins::default(),
        configured: Vec::new(),
        places: Places::here(None),
    };
    let started = Instant::now();
    let found = locate(&RuntimeRef { name: name.to_owned(), tag: tag.to_owned() }, &options)?;
    eprintln!("located in {:?}: {:#?}", started.elapsed(), found.located());
    let program = match found {
        Found::Ready(program) => program,
        Found::Build(plan) => {
            eprintln!("{}: {} bytes to fetch, {:?} expected", plan.title, plan.bytes, plan.expected);
            let started = Instant::now();
            build(&plan, &mut |progress| eprintln!("{:8.1?} {progress:?}", started.elapsed()))?
        }
    };
    let args: Vec<String> = words.collect();
    let argv = program.argv(&args);
    eprintln!("{:?}\n{argv:?}\n{:#?}", program.root, program.env);
    let Some((first, rest)) = argv.split_first().filter(|_| !args.is_empty()) else { return Ok(ExitCode::SUCCESS) };
    let mut command = Command::new("env");
    command.arg("-i").args(program.env.iter().map(|(name, value)| format!("{name}={value}"))).arg("HOME=/tmp");
    let status = command.arg(first).args(rest).status()?;
    Ok(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1).into())
}
