//! Any bytes as a project.yaml: never a panic, and every form of its diagnostics can be printed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pipeline::report;

fuzz_target!(|bytes: &[u8]| {
    let loaded = pipeline::load(bytes, "project.yaml");
    let errors = loaded.diagnostics.iter().filter(|d| d.severity == pipeline::Severity::Error).count();
    assert_eq!(loaded.project.is_none(), errors > 0, "a project is there exactly when no error is");
    let text = String::from_utf8_lossy(bytes);
    let options = report::HumanOptions { color: false, ascii: true, width: 80 };
    let human = report::human(&text, "project.yaml", &loaded.diagnostics, &options);
    assert!(!human.chars().any(|c| c.is_control() && c != '\n'), "a control character reached the terminal");
    report::github("project.yaml", &loaded.diagnostics);
    if let Ok(source) = std::str::from_utf8(bytes) {
        report::apply_fixes(source, &loaded.diagnostics);
    }
});
