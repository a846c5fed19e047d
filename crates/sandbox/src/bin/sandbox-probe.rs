//! A small program over this room for its tests: the hidden dispatch, and one command per method of the trait.
//! Not part of the product.
#![allow(missing_docs, reason = "a program for tests")]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use sandbox::{IsolationLevel, Native, NativeOptions, Runtime, Spec, Unisolated};

fn main() -> ExitCode {
    if sandbox::entry::is_supervisor_call(std::env::args_os()) {
        return sandbox::entry::run();
    }
    match command() {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("{}", serde_json::json!({ "error": error.to_string() }));
            ExitCode::FAILURE
        }
    }
}

/// In a debug build without the walls that a test of the others names.
fn native(options: NativeOptions) -> Result<Native, Box<dyn std::error::Error>> {
    let native = Native::new(options);
    #[cfg(debug_assertions)]
    if let Ok(walls) = std::env::var("SANDBOX_PROBE_WITHOUT") {
        return Ok(native.without(serde_json::from_str(&walls)?));
    }
    Ok(native)
}

fn command() -> Result<String, Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let what = words.next().unwrap_or_default();
    let mut options = NativeOptions::default();
    if let Ok(slots) = std::env::var("SANDBOX_PROBE_SLOTS") {
        options.slots = slots.into();
    }
    if what == "probe" {
        let found = Native::new(options).probe();
        return Ok(serde_json::to_string(&found)?);
    }
    let spec: Spec = serde_json::from_slice(&std::fs::read(words.next().unwrap_or_default())?)?;
    let runtime: Box<dyn Runtime> = match spec.isolation {
        IsolationLevel::None => Box::new(Unisolated::new(options)),
        _ => Box::new(native(options)?),
    };
    let number = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
    Ok(match what.as_str() {
        "run" => {
            let begin = Instant::now();
            runtime.start(&spec)?;
            let start = begin.elapsed();
            let exit = runtime.wait(&spec)?;
            let times = serde_json::json!({ "start": start.as_secs_f64(), "all": begin.elapsed().as_secs_f64() });
            serde_json::json!({ "exit": exit, "times": times }).to_string()
        }
        // Starts, tells so, and stays for `number` milliseconds.
        "start" => {
            runtime.start(&spec)?;
            println!("{{}}");
            std::thread::sleep(Duration::from_millis(number));
            "{}".to_owned()
        }
        "wait" => serde_json::json!({ "exit": runtime.wait(&spec)? }).to_string(),
        "stop" => {
            runtime.stop(&spec, Duration::from_millis(number))?;
            "{}".to_owned()
        }
        "sample" => match runtime.sample(&spec) {
            Some(sample) => serde_json::json!({ "cpu": sample.cpu_seconds, "memory": sample.memory }).to_string(),
            None => "{}".to_owned(),
        },
        "remove" => {
            runtime.remove(&spec)?;
            "{}".to_owned()
        }
        other => return Err(format!("no command {other:?}").into()),
    })
}
