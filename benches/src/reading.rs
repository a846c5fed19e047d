//! The table of reading: `load` of each seed and of generated files, beside the reader that people use today.
//! Goals of spec project-yaml.md 16.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::clock::Times;
use crate::{Setup, generate};

/// One file to be read.
struct Case {
    name: String,
    path: PathBuf,
    goal_ms: f64,
}

/// How the competitor did on a file.
struct Theirs {
    ms: f64,
    /// It refuses the file: the time is that of finding out.
    refused: bool,
}

/// Prints it.
pub(crate) fn table(setup: &Setup) -> Result<(), Box<dyn std::error::Error>> {
    let cases = cases(&setup.root, setup.folder.path())?;
    let today = match &setup.python {
        Some(python) => competitor(python, &setup.root, &cases)?,
        None => BTreeMap::new(),
    };
    println!("| file | bytes | load: median, ms | least, ms | goal, ms | today, ms | ratio |");
    println!("|---|---|---|---|---|---|---|");
    for case in &cases {
        let bytes = std::fs::read(&case.path)?;
        let times = Times::of(|| drop(std::hint::black_box(pipeline::load(&bytes, "project.yaml"))));
        let ms = times.median_ms();
        let (theirs, ratio) = match today.get(&case.path) {
            Some(theirs) => {
                let refused = if theirs.refused { " (refused)" } else { "" };
                (format!("{:.1}{refused}", theirs.ms), format!("{:.0}", theirs.ms / ms))
            }
            None => ("not measured".to_owned(), String::new()),
        };
        let (name, goal, least) = (&case.name, case.goal_ms, times.least_ms());
        println!("| {name} | {} | {ms:.3} | {least:.3} | {goal} | {theirs} | {ratio} |", bytes.len());
    }
    Ok(())
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

/// One line of JSON for each file comes back; what it says on standard error is for the person who runs this.
fn competitor(
    python: &Path,
    root: &Path,
    cases: &[Case],
) -> Result<BTreeMap<PathBuf, Theirs>, Box<dyn std::error::Error>> {
    let out = Command::new(python)
        .arg(root.join("benches/competitor.py"))
        .args(cases.iter().map(|case| &case.path))
        .stderr(Stdio::inherit())
        .output()?;
    if !out.status.success() {
        return Err(format!("the competitor could not be measured: {}", out.status).into());
    }
    let mut times = BTreeMap::new();
    for line in String::from_utf8_lossy(&out.stdout).lines() {
        let record: serde_json::Value = serde_json::from_str(line)?;
        if let (Some(file), Some(ms), Some(refused)) =
            (record["file"].as_str(), record["median_ms"].as_f64(), record["refused"].as_bool())
        {
            times.insert(PathBuf::from(file), Theirs { ms, refused });
        }
    }
    Ok(times)
}
