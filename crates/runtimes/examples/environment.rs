//! Locates and builds one runtime by hand, and starts a command in it, in the sandbox or beside it:
//! `cargo run -p runtimes --example environment -- [--offline] [--sandbox FOLDER] python:v1 [ARG…]`.
//! FOLDER may hold `workspace/` with the files of the run, which works on them in place.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use pipeline::RuntimeRef;
use runtimes::{Builtins, Found, Options, Places, Program, build, default_cache_dir, locate};
use sandbox::{IsolationLevel, Limits, Native, NativeOptions, RunName, Runtime, Spec};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    if sandbox::entry::is_supervisor_call(std::env::args_os()) {
        return Ok(sandbox::entry::run());
    }
    let mut words = std::env::args().skip(1).peekable();
    let offline = words.next_if_eq("--offline").is_some();
    let folder = words.next_if_eq("--sandbox").and_then(|_| words.next());
    let word = words.next().ok_or("name:tag is missing")?;
    let program = provide(&word, offline)?;
    let argv = program.argv(&words.collect::<Vec<_>>());
    if argv.len() < 2 {
        println!("{program:#?}");
        return Ok(ExitCode::SUCCESS);
    }
    let code = match folder {
        Some(folder) => isolated(&program, argv, Path::new(&folder))?,
        None => beside(&program, &argv)?,
    };
    Ok(u8::try_from(code).unwrap_or(1).into())
}

fn provide(word: &str, offline: bool) -> Result<Program, Box<dyn Error>> {
    let (name, tag) = word.split_once(':').ok_or("name:tag is missing")?;
    let options = Options {
        cache_dir: default_cache_dir().ok_or("no cache folder")?,
        offline,
        packages: None,
        builtins: Builtins::default(),
        configured: Vec::new(),
        places: Places::here(None),
        library: &[],
    };
    let started = Instant::now();
    let found = locate(&RuntimeRef { name: name.to_owned(), tag: tag.to_owned() }, &options)?;
    eprintln!("{} located in {:?}", found.located().title, started.elapsed());
    for warning in &found.located().warnings {
        eprintln!("{} {}", warning.code, warning.message);
    }
    match found {
        Found::Ready(program) => Ok(program),
        Found::Build(plan) => {
            let megabytes = |bytes: u64| bytes.div_ceil(1_000_000);
            let (bytes, unpacked) = (megabytes(plan.bytes), megabytes(plan.unpacked));
            eprintln!("{}: {bytes} MB to fetch, {unpacked} MB on disk, about {:?}", plan.title, plan.expected);
            let started = Instant::now();
            Ok(build(&plan, &mut |progress| eprintln!("{:8.1?} {progress:?}", started.elapsed()))?)
        }
    }
}

fn beside(program: &Program, argv: &[String]) -> Result<i32, Box<dyn Error>> {
    let mut command = Command::new("env");
    command.arg("-i").args(program.env.iter().map(|(name, value)| format!("{name}={value}"))).arg("HOME=/tmp");
    Ok(command.args(argv).status()?.code().unwrap_or(1))
}

fn isolated(program: &Program, argv: Vec<String>, folder: &Path) -> Result<i32, Box<dyn Error>> {
    let folder = PathBuf::from(folder).canonicalize()?;
    for part in ["workspace", "tmp"] {
        fs::create_dir_all(folder.join(part))?;
    }
    let mut env = program.env.clone();
    env.extend([("HOME".to_owned(), "/tmp".to_owned()), ("OPENSAFELY_BACKEND".to_owned(), "expectations".to_owned())]);
    let spec = Spec {
        name: RunName(format!("example-{}", std::process::id())),
        root: program.root.clone(),
        argv,
        env,
        folder: folder.clone(),
        limits: Limits {
            memory: 4 << 30,
            cpus: 2,
            processes: 1024,
            disk: 8 << 30,
            files: 100_000,
            time: Some(Duration::from_secs(600)),
            log: 16 << 20,
        },
        grace: Duration::from_secs(3),
        isolation: IsolationLevel::FullWithoutLandlock,
        die_with_parent: true,
    };
    let runtime = Native::new(NativeOptions::default());
    let started = Instant::now();
    runtime.start(&spec)?;
    let exit = runtime.wait(&spec)?;
    print!("{}", fs::read_to_string(folder.join("log"))?);
    eprintln!("exit {} after {:?}, isolation {:?}", exit.code, started.elapsed(), exit.isolation);
    for own in ["log", "exit.json", "spec.json", "lock"] {
        fs::remove_file(folder.join(own)).ok();
    }
    Ok(exit.code)
}
