//! What `cloister codelists` says: for people, and as `cloister.codelists/1`. Spec cli.md 7.2.

use std::error::Error;

use codelists::{Difference, Fault, Project, Report, Severity, Updated};
use pipeline::report::visible;
use serde_json::{Value, json};

use crate::args::TextFormat;
use crate::exit::Exit;
use crate::terminal::{Terminal, program};
use crate::words::plural;

/// No `codelists/` here.
pub(super) fn nothing_to_check(format: TextFormat, terminal: &Terminal) -> Exit {
    checked(&Report::default(), None, format, terminal)
}

/// A check's result; `asked` is the site that was asked.
pub(super) fn checked(report: &Report, asked: Option<&str>, format: TextFormat, terminal: &Terminal) -> Exit {
    for (severity, fault) in &report.findings {
        tell(*severity, fault, terminal);
    }
    if let Some(repair) = report.repair() {
        let first = report.findings.iter().any(|(_, fault)| fault.line().is_some() || fault.code() == "C101");
        let first = if first { "mend codelists/codelists.txt, then run" } else { "run" };
        terminal.error(&format!("To repair this, {first}:\n  {} {repair}", program()));
    }
    match format {
        TextFormat::Json => terminal.line(&document(report).to_string()),
        TextFormat::Human if !report.exists => terminal.line("there is no codelists folder, so nothing to check"),
        TextFormat::Human if !report.ok() => {}
        TextFormat::Human => {
            let compared = !report.findings.iter().any(|(_, fault)| matches!(fault.code(), "C301" | "C302"));
            let compared = asked.filter(|_| compared).map_or(String::new(), |site| format!(", up to date with {site}"));
            let count = plural(report.lines.len(), "codelist");
            match report.lines.len() {
                0 => terminal.line("no codelist is listed"),
                _ => terminal.line(&format!("{count}: as downloaded{compared}")),
            }
        }
    }
    if report.ok() { Exit::Done } else { Exit::No }
}

/// What an addition or an update did.
pub(super) fn updated(
    updated: &Updated,
    project: &Project,
    format: TextFormat,
    terminal: &Terminal,
) -> Result<Exit, Box<dyn Error>> {
    for file in &updated.kept {
        terminal.error(&format!(
            "error[C204]: nothing lists codelists/{}, and neither codelists.json nor git could give it back, so it was kept\n  \
             = help: move it out of codelists/, or remove it with:\n  {} codelists update --delete-unlisted",
            visible(file),
            program()
        ));
    }
    match format {
        TextFormat::Json => {
            let mut document = document(&project.check()?);
            document["added"] = json!(updated.added);
            document["changed"] = json!(updated.changed);
            document["removed"] = json!(updated.removed);
            document["unchanged"] = json!(updated.unchanged);
            terminal.line(&document.to_string());
        }
        TextFormat::Human => {
            let rows = [("added", &updated.added), ("changed", &updated.changed), ("removed", &updated.removed)];
            for (what, files) in rows {
                for file in files {
                    terminal.line(&format!("{what:<8} codelists/{}", visible(file)));
                }
            }
            let counts = rows.into_iter().chain([("unchanged", &updated.unchanged)]);
            let counts: Vec<String> = counts.map(|(what, files)| format!("{} {what}", files.len())).collect();
            terminal.line(&counts.join(", "));
        }
    }
    Ok(if updated.kept.is_empty() { Exit::Done } else { Exit::No })
}

/// What differs, code by code; exit 1 if anything does.
pub(super) fn differences(all: &[Difference], format: TextFormat, terminal: &Terminal) -> Exit {
    let differ: Vec<&Difference> = all.iter().filter(|difference| !difference.is_none()).collect();
    if format == TextFormat::Json {
        let lists: Vec<Value> = all.iter().map(difference).collect();
        terminal.line(
            &json!({"schema": "cloister.codelists-diff/1", "ok": differ.is_empty(), "codelists": lists}).to_string(),
        );
        return if differ.is_empty() { Exit::Done } else { Exit::No };
    }
    for Difference { id, file, added, removed, retermed, used_by } in &differ {
        terminal.line(&format!("{} (codelists/{file})", visible(id)));
        for (mark, codes) in [('+', added), ('-', removed)] {
            for (code, term) in codes {
                terminal.line(format!("  {mark} {} {}", visible(code), visible(term)).trim_end());
            }
        }
        for (code, here, there) in retermed {
            terminal.line(&format!("  ~ {} {} -> {}", visible(code), visible(here), visible(there)));
        }
        if !used_by.is_empty() {
            let names: Vec<_> = used_by.iter().map(|name| visible(name)).collect();
            terminal.line(&format!("  used by {}", names.join(", ")));
        }
    }
    let same = all.len() - differ.len();
    terminal.line(&format!("{} the same, {} not", plural(same, "codelist"), differ.len()));
    if differ.is_empty() { Exit::Done } else { Exit::No }
}

fn difference(one: &Difference) -> Value {
    let codes = |codes: &[(String, String)]| -> Vec<Value> {
        codes.iter().map(|(code, term)| json!({"code": code, "term": term})).collect()
    };
    let retermed: Vec<Value> =
        one.retermed.iter().map(|(code, here, there)| json!({"code": code, "here": here, "there": there})).collect();
    json!({
        "id": one.id, "file": one.file, "added": codes(&one.added), "removed": codes(&one.removed),
        "retermed": retermed, "used_by": one.used_by,
    })
}

/// Why nothing was done.
pub(super) fn failed(error: &codelists::Error, format: TextFormat, terminal: &Terminal) -> Exit {
    let faults: &[Fault] = match error {
        codelists::Error::Faults(faults) => faults,
        other => {
            terminal.error(&visible_lines(&format!("error: {other}")));
            &[]
        }
    };
    for fault in faults {
        tell(Severity::Error, fault, terminal);
    }
    if faults.iter().any(|fault| fault.code() == "C202") {
        terminal.error(&format!("To repair this, run:\n  {} codelists update", program()));
    }
    if format == TextFormat::Json {
        let findings = faults.iter().map(|fault| (Severity::Error, fault.clone())).collect();
        let mut document = document(&Report { findings, exists: true, ..Report::default() });
        document["ok"] = json!(false);
        terminal.line(&document.to_string());
    }
    Exit::No
}

fn tell(severity: Severity, fault: &Fault, terminal: &Terminal) {
    let place = fault.line().filter(|line| *line > 0);
    let place = place.map_or(String::new(), |line| format!("codelists/codelists.txt:{line}: "));
    let help = fault.help().map_or(String::new(), |help| format!("\n  = help: {help}"));
    let text = visible_lines(&format!("{}[{}]: {place}{fault}{help}", word(severity), fault.code()));
    if severity == Severity::Error { terminal.error(&text) } else { terminal.note(&text) }
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

fn document(report: &Report) -> Value {
    let faults: Vec<Value> = report
        .findings
        .iter()
        .map(|(severity, fault)| {
            let file = if fault.is_of_manifest() { "codelists/codelists.json" } else { "codelists/codelists.txt" };
            json!({
                "code": fault.code(), "severity": word(*severity), "message": fault.to_string(),
                "help": fault.help(), "path": file, "line": fault.line(),
            })
        })
        .collect();
    json!({
        "schema": "cloister.codelists/1",
        "ok": report.ok(),
        "codelists": report.lines,
        "faults": faults,
        "repair": report.repair().map(|repair| format!("{} {repair}", program())),
    })
}

fn visible_lines(text: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join("\n")
}
