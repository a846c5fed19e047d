//! Times of reading and planning, beside those of the reader that people use today, as a table.
//! `benches/run` builds this in release form, installs the competitor beside it and prints both.

mod generate;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use jobs::{PlanRequest, Stale};
use pipeline::ActionName;

/// One file to be read.
struct Case {
    name: String,
    path: PathBuf,
    goal_ms: f64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let root = PathBuf::from(args.next().ok_or("usage: benches ROOT [PYTHON]")?);
    let python = args.next().map(PathBuf::from);
    let folder = tempfile::tempdir()?;
    let cases = cases(&root, folder.path())?;
    let today = python.map(|python| competitor(&python, &root, &cases)).transpose()?.unwrap_or_default();

    println!("| file | bytes | load, ms | goal, ms | today, ms | ratio |");
    println!("|---|---|---|---|---|---|");
    for case in &cases {
        let bytes = std::fs::read(&case.path)?;
        let time = median(|| drop(std::hint::black_box(pipeline::load(&bytes, "project.yaml"))));
        let ms = time.as_secs_f64() * 1000.0;
        let (theirs, ratio) = match today.get(&case.path) {
            Some(theirs) => (format!("{theirs:.1}"), format!("{:.0}", theirs / ms)),
            None => ("not measured".to_owned(), String::new()),
        };
        println!("| {} | {} | {ms:.3} | {} | {theirs} | {ratio} |", case.name, bytes.len(), case.goal_ms);
    }
    planning()
}

fn cases(root: &Path, folder: &Path) -> Result<Vec<Case>, Box<dyn std::error::Error>> {
    let mut cases = Vec::new();
    let mut studies: Vec<PathBuf> = std::fs::read_dir(root.join("studies"))?
        .filter_map(|entry| entry.ok().map(|e| e.path().join("project.yaml")))
        .filter(|path| path.is_file())
        .collect();
    studies.sort();
    for path in studies {
        let name =
            path.parent().and_then(Path::file_name).map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        cases.push(Case { name, path, goal_ms: 0.2 });
    }
    for (name, actions, each, goal_ms) in
        [("119 actions", 119, 590, 1.5), ("1,600 actions", 1600, 820, 40.0), ("2,200 actions", 2200, 1850, 120.0)]
    {
        let path = folder.join(format!("{actions}.yaml"));
        std::fs::write(&path, generate::project(actions, each))?;
        cases.push(Case { name: name.to_owned(), path, goal_ms });
    }
    Ok(cases)
}

fn planning() -> Result<(), Box<dyn std::error::Error>> {
    let text = generate::project(2000, 300);
    let project = pipeline::load(text.as_bytes(), "project.yaml").project.ok_or("the generated file does not load")?;
    let request = PlanRequest {
        requested: vec![ActionName::new("run_all")],
        force: false,
        stale: Stale::Rerun,
        codelists_ok: true,
        commit: None,
    };
    let mut planned = 0;
    let time = median(|| {
        if let Ok(plan) = jobs::plan::plan(&project, &request, &BTreeMap::new()) {
            planned = plan.new_jobs().count();
        }
    });
    println!("\nplanning {planned} of 2000 actions: {:.2} ms (goal 50)", time.as_secs_f64() * 1000.0);
    Ok(())
}

/// The median of repeated runs: at least 5, for about a second.
fn median(mut work: impl FnMut()) -> Duration {
    let begin = Instant::now();
    let mut times = Vec::new();
    while times.len() < 5 || (begin.elapsed() < Duration::from_secs(1) && times.len() < 1001) {
        let start = Instant::now();
        work();
        times.push(start.elapsed());
    }
    times.sort();
    times[times.len() / 2]
}

fn competitor(
    python: &Path,
    root: &Path,
    cases: &[Case],
) -> Result<BTreeMap<PathBuf, f64>, Box<dyn std::error::Error>> {
    let out = Command::new(python)
        .arg(root.join("benches/competitor.py"))
        .args(cases.iter().map(|case| &case.path))
        .output()?;
    let mut times = BTreeMap::new();
    for line in String::from_utf8_lossy(&out.stdout).lines() {
        let record: serde_json::Value = serde_json::from_str(line)?;
        if let (Some(file), Some(ms)) = (record["file"].as_str(), record["median_ms"].as_f64()) {
            times.insert(PathBuf::from(file), ms);
        }
    }
    Ok(times)
}
