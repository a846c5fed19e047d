//! Every command that the documents show is one that the program takes.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Lines of code that begin with the program's name, without remarks and what comes after a pipe.
fn shown(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        let code = fenced || line.starts_with("    ");
        let line = line.trim().trim_start_matches("- ").trim_start_matches("run: ");
        if code && line.starts_with("cloister ") {
            let end = line.find(['#', '|', '>']).unwrap_or(line.len());
            found.push(line[..end].trim().to_owned());
        }
    }
    found
}

#[test]
fn every_command_of_the_documents_is_taken() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = vec![root.join("README.md")];
    files.extend(fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path()));
    let mut seen = 0;
    for file in files.iter().filter(|file| file.extension().is_some_and(|end| end == "md")) {
        for line in shown(&fs::read_to_string(file).unwrap()) {
            let mut words: Vec<&str> = line.split_whitespace().skip(1).collect();
            // What follows the image is not ours.
            if words.first() == Some(&"exec") {
                words.truncate(2);
            }
            words.insert(usize::from(words.first() == Some(&"exec")), "--help");
            if words[0] != "exec" {
                words.rotate_left(1);
            }
            let output = Command::new(env!("CARGO_BIN_EXE_cloister")).args(&words).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(0), "{}: {line}: {said}", file.display());
            seen += 1;
        }
    }
    assert!(seen >= 20, "only {seen} commands were found");
}
