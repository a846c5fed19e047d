//! The table of bad luck: how much later three jobs finish when a fourth one beside them has a fault of ours or of its own.
//! Goal of spec jobs.md 8: nobody waits for the unlucky. Faults can be injected only in a debug build, so all rows are of one.

use std::error::Error;
use std::process::{Command, Stdio};

use jiff::Timestamp;
use serde_json::Value;

use crate::Setup;
use crate::running::{Rig, median};

const RUNS: usize = 9;

/// Prints it; nothing if there is no debug build.
pub(crate) fn table(setup: &Setup) -> Result<(), Box<dyn Error>> {
    let Ok(program) = setup.root.join("target/debug/cloister").canonicalize() else {
        println!("\nno table of bad luck: `cargo build -p cli` makes the debug build that it needs");
        return Ok(());
    };
    let lucky = |n: usize| action(&format!("a{n}"), &format!("open('output/a{n}.txt', 'w')"));
    let three: String = (0..3).map(lucky).collect();
    let study = |name: &str, code: &str| Rig::of(setup, name, &format!("{}{three}", action("unlucky", code)));
    let quiet = study("quiet", "open('output/unlucky.txt', 'w')")?;
    let missing = study("missing", "open('nothing.csv')")?;
    let full = study("full", "f = open('output/unlucky.txt', 'w'); f.truncate(1 << 60)")?;
    let usual = median(RUNS, || last(&program, &quiet, None))?;
    println!("\n| bad luck of one job of four (debug build) | the other three end later by, ms | goal, ms |");
    println!("|---|---|---|");
    let cases = [
        ("a fault of ours while preparing, each time", &quiet, Some("panic@prepare.before:0#unlucky")),
        ("a fault of ours while collecting, each time", &quiet, Some("panic@collect.inside:0#unlucky")),
        ("a fault of ours before the result", &quiet, Some("panic@result.before#unlucky")),
        ("an input that is not there", &missing, None),
        ("a file larger than the disk", &full, None),
    ];
    for (name, rig, fault) in cases {
        let time = median(RUNS, || last(&program, rig, fault))?;
        println!("| {name} | {:.0} | 200 |", (time - usual).max(0.0));
    }
    Ok(())
}

fn action(name: &str, code: &str) -> String {
    format!(
        "  {name}:\n    run: python:v2 -c \"{code}\"\n    outputs:\n      moderately_sensitive: {{o: output/{name}.txt}}\n"
    )
}

/// Milliseconds from the plan to the end of the last of the three.
fn last(program: &std::path::Path, rig: &Rig, fault: Option<&str>) -> Result<f64, Box<dyn Error>> {
    let plain = rig.command(&["run_all", "-f", "-c", "4", "--continue-on-error", "--json"]);
    let mut command = Command::new(program);
    command.args(plain.get_args()).current_dir(&rig.folder);
    if let Some(fault) = fault {
        command.env("CLOISTER_FAULT", fault);
    }
    let output = command.stdin(Stdio::null()).output()?;
    let (mut began, mut ended) = (None, None);
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let event: Value = serde_json::from_str(line)?;
        let at: Timestamp = event["at"].as_str().ok_or("an event without a time")?.parse()?;
        let lucky = event["action"].as_str().is_some_and(|action| action.starts_with('a'));
        match event["event"].as_str() {
            Some("run_started") => began = Some(at),
            Some("job_finished") if lucky => ended = Some(at),
            _ => {}
        }
    }
    let (Some(began), Some(ended)) = (began, ended) else { return Err("the three did not end".into()) };
    Ok(ended.duration_since(began).as_secs_f64() * 1e3)
}
