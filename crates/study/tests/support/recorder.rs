//! Records many studies in one Python process.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use study::recording::Recording;

use super::case::Case;

/// The recordings of a case's studies, or why there is none, in the order of the case.
pub type Recorded = Vec<Result<Recording, String>>;

/// Records the studies of all cases.
pub fn record(cases: &[Case]) -> Vec<Recorded> {
    let read = |text: Result<String, String>| Recording::parse(text?.as_bytes()).map_err(|e| e.to_string());
    texts(cases).into_iter().map(|of_case| of_case.into_iter().map(read).collect()).collect()
}

/// The recordings as the recorder writes them.
pub fn texts(cases: &[Case]) -> Vec<Vec<Result<String, String>>> {
    let mut asked = Vec::new();
    for (at, case) in cases.iter().enumerate() {
        for (module, _) in &case.studies {
            let mut files = serde_json::Map::new();
            for (module, text) in &case.studies {
                files.insert(format!("analysis/{module}.py"), json!(text));
            }
            for (path, text) in &case.files {
                files.insert(path.clone(), json!(text));
            }
            let params: serde_json::Map<_, _> = case.run.params.iter().map(|(k, v)| (k.clone(), json!(v))).collect();
            asked.push(json!({"name": at, "module": module, "files": files, "params": params}));
        }
    }
    let mut found: Vec<Vec<Result<String, String>>> = cases.iter().map(|_| Vec::new()).collect();
    for line in answers(&json!({ "cases": asked })) {
        let at = usize::try_from(line["name"].as_u64().unwrap()).unwrap();
        found[at].push(match line["recording"].as_str() {
            Some(text) => Ok(text.to_owned()),
            None => Err(format!("no recording: {}", line["log"].as_str().unwrap_or_default())),
        });
    }
    found
}

fn answers(asked: &Value) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../study/tests/support/record_many.py");
    let mut python = Command::new("python3")
        .args(["-B", "-X", "utf8"])
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("cases are recorded by python3: {e}"));
    let mut input = python.stdin.take().unwrap();
    let text = asked.to_string();
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = python.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "record_many.py ended with {}", output.status);
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
