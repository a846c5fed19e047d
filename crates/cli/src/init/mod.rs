//! `cloister init`: a new study that passes `check` and `run`. Spec cli.md 10.
//! Nothing is ever overwritten.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use pipeline::report::visible;

use crate::args::{Extraction, Init};
use crate::exit::Exit;
use crate::terminal::Terminal;

/// What a study begins with, by path.
const FILES: [(&str, &str); 11] = [
    ("project.yaml", include_str!("template/project.yaml")),
    ("analysis/study_definition.py", include_str!("template/analysis/study_definition.py")),
    ("analysis/study_definition_monthly.py", include_str!("template/analysis/study_definition_monthly.py")),
    ("codelists/codelists.txt", include_str!("template/codelists/codelists.txt")),
    ("codelists/codelists.json", include_str!("template/codelists/codelists.json")),
    ("output/.gitkeep", include_str!("template/gitkeep")),
    ("README.md", include_str!("template/README.md")),
    (".gitignore", include_str!("template/gitignore")),
    (".gitattributes", include_str!("template/gitattributes")),
    (".github/workflows/test_runner.yaml", include_str!("template/workflow.yaml")),
    (SETTINGS, "{\n  \"yaml.schemas\": { \".vscode/project.schema.json\": \"project.yaml\" }\n}\n"),
];
const SETTINGS: &str = ".vscode/settings.json";
/// What editors check project.yaml against: of this version of the program.
const SCHEMA: &str = ".vscode/project.schema.json";

pub(crate) fn init(args: &Init, terminal: &Terminal) -> Result<Exit, Box<dyn Error>> {
    if args.extraction == Extraction::Ehrql {
        let text = "error: --extraction ehrql: this version has no engine for ehrql yet\n  = help: leave it out: the study then extracts patients with cohortextractor (version 3)";
        return Err(text.into());
    }
    let folder = &args.dir;
    let shown = visible(&folder.display().to_string()).into_owned();
    let there: Vec<&str> = FILES
        .iter()
        .map(|(path, _)| *path)
        .chain([SCHEMA])
        .filter(|path| folder.join(path).symlink_metadata().is_ok())
        .collect();
    if !there.is_empty() {
        let text = format!(
            "error: {shown} has {} already; nothing was written\n  = help: name a new folder",
            there.join(", ")
        );
        return Err(text.into());
    }
    let name = match &args.name {
        Some(name) => name.clone(),
        None => folder.file_name().map_or_else(|| "A study".to_owned(), |name| name.to_string_lossy().into_owned()),
    };
    for (path, text) in FILES {
        write(&folder.join(path), &if path == "README.md" { text.replace("NAME", &name) } else { text.to_owned() })?;
    }
    let schema = serde_json::to_string_pretty(&pipeline::schema::project())?;
    write(&folder.join(SCHEMA), &format!("{schema}\n"))?;
    if !args.no_git {
        repository(folder, terminal);
    }
    terminal.line(&format!("a study is in {shown}: `cloister check`, then `cloister run run_all` there"));
    Ok(Exit::Done)
}

fn write(path: &Path, text: &str) -> Result<(), Box<dyn Error>> {
    let failed =
        |why: std::io::Error| format!("error: {} cannot be written: {why}", visible(&path.display().to_string()));
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(path).map_err(failed)?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(failed)?;
    Ok(())
}

/// A study without git is a study too: it is only said.
fn repository(folder: &Path, terminal: &Terminal) {
    let inside = |words: &[&str]| {
        let mut git = Command::new("git");
        git.args(words).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        git.status().is_ok_and(|status| status.success())
    };
    if !inside(&["rev-parse", "--is-inside-work-tree"]) && !inside(&["init", "--quiet"]) {
        terminal.note("note: git is not here, so the folder is no repository yet");
    }
}
