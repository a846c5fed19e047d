//! What needs the outside world: runtimes, tags and files (spec project-yaml.md 5.2, 5.3, 7.3).
//! Pure all the same: the world is handed in as data.

use std::collections::{BTreeMap, BTreeSet};

use crate::fault::{did_you_mean, one_of, quoted};
use crate::reusable::name_rule;
use crate::suggest::nearest;
use crate::{
    Action, ActionName, Code, Diagnostic, Label, PathStep, Project, Registry, ReusableActions, ReusableFault,
    RuntimeKind, RuntimeRef, Severity, Span, TagStatus, Tree,
};
use crate::{SpecialCommand, codes};

/// Checks what needs the outside world, handed in as data (spec project-yaml.md 5.2, 5.3, 7.3).
///
/// Gives P307, P308, P315, P316, P320, P321 and P801 to P809, ordered by position, then code.
pub fn resolve(project: &Project, registry: &Registry, tree: &Tree) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let folded: BTreeMap<String, &str> = tree.files.iter().map(|f| (f.to_lowercase(), f.as_str())).collect();
    for action in &project.actions {
        runtime(action, registry, &mut found);
        // A script that a reusable action is given may be one of its own repository.
        let nowhere = matches!(registry.reusable, ReusableActions::Nowhere);
        if nowhere || registry.runtimes.contains_key(&action.runtime.name) {
            files(project, action, tree, &folded, &mut found);
        }
    }
    let offset = |d: &Diagnostic| d.span.map(|s| s.start.offset);
    found.sort_by_key(|a| (offset(a), a.code));
    found
}

fn diagnostic(
    code: &'static str,
    action: &Action,
    span: Span,
    key: &str,
    message: String,
    label: &str,
    help: String,
) -> Diagnostic {
    Diagnostic {
        code: Code(code),
        severity: codes::severity(code, 1.0).unwrap_or(Severity::Error),
        message,
        label: label.to_owned(),
        help: Some(help),
        span: Some(span),
        labels: Vec::new(),
        at: ["actions", action.name.as_str(), key].map(|k| PathStep::Key(k.to_owned())).to_vec(),
        action: Some(action.name.clone()),
        fixes: Vec::new(),
    }
}

/// P307, P308, P315, P316.
fn runtime(action: &Action, registry: &Registry, found: &mut Vec<Diagnostic>) {
    let (name, tag) = (action.runtime.name.as_str(), action.runtime.tag.as_str());
    let span = action.word_spans.first().copied().unwrap_or(action.span);
    let Some(entry) = registry.runtimes.get(name) else {
        if let ReusableActions::LookedUp(known) = &registry.reusable
            && reusable(action, registry, known, found)
        {
            return;
        }
        let odd =
            name.contains(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-')));
        let near = nearest(name, registry.runtimes.keys().map(String::as_str));
        let help = did_you_mean(&near).unwrap_or_else(|| {
            if odd {
                "names of runtimes and actions have only small letters, digits, `.`, `_` and `-`".to_owned()
            } else {
                format!(
                    "runtimes are {}; a reusable action is found where `actions.url` of your settings says where they are",
                    one_of(platform(registry))
                )
            }
        });
        let message = format!("{} is neither a runtime nor a known action", quoted(name));
        found.push(diagnostic("P307", action, span, "run", message, "nothing of this name can run", help));
        return;
    };
    if entry.kind == RuntimeKind::Planned && action.is_database() && action.special() != Some(SpecialCommand::Sqlrunner)
    {
        let message = format!("{} cannot extract patients in this program yet", quoted(name));
        let help =
            "the file is valid and can be checked and planned, but a run that needs this action is refused".to_owned();
        found.push(diagnostic("P316", action, span, "run", message, "a run is refused", help));
    }
    if matches!(tag, "latest" | "dev") {
        return;
    }
    match (entry.tag)(tag) {
        TagStatus::Known => {}
        TagStatus::Newer { last_known } => {
            let message = format!("{} is newer than this program knows", quoted(&action.runtime.to_string()));
            let help = format!(
                "it runs as {last_known}, the last version this program knows; update the program if that matters"
            );
            found.push(diagnostic("P315", action, span, "run", message, "runs as the newest known version", help));
        }
        TagStatus::Unknown { nearest } => {
            let message = format!("{} has no version {}", quoted(name), quoted(tag));
            let tags: Vec<String> = nearest.iter().take(3).map(|t| format!("{name}:{t}")).collect();
            let help = did_you_mean(&tags).unwrap_or_else(|| "look up its published versions".to_owned());
            found.push(diagnostic("P308", action, span, "run", message, "this version never existed", help));
        }
    }
}

/// P801 to P809; false for a name that is none of a reusable action.
fn reusable(
    action: &Action,
    registry: &Registry,
    known: &BTreeMap<RuntimeRef, Result<(), ReusableFault>>,
    found: &mut Vec<Diagnostic>,
) -> bool {
    let reference = &action.runtime;
    let odd = |c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-'));
    // A misspelt runtime is told as one (spec project-yaml.md 5.2).
    if reference.name.contains(odd) {
        return false;
    }
    let near = nearest(&reference.name, registry.runtimes.keys().map(String::as_str));
    let span = action.word_spans.first().copied().unwrap_or(action.span);
    let who = format!("action {}: {}", quoted(action.name.as_str()), quoted(&reference.to_string()));
    let rule = name_rule(&reference.name).map(|rule| ReusableFault::Name { rule });
    match rule.as_ref().map(Err).or_else(|| known.get(reference).map(Result::as_ref)) {
        Some(Ok(())) => {}
        Some(Err(fault)) => {
            let (message, help) = (format!("{who}: {fault}"), fault.help(reference, &near));
            found.push(diagnostic(fault.code().0, action, span, "run", message, "this cannot run", help));
        }
        None => {
            let message = format!("{who} is a reusable action that was not looked up");
            let meant = did_you_mean(&near).map(|meant| format!("{meant} Otherwise ")).unwrap_or_default();
            let help = format!("{meant}`cloister check --resolve` fetches and checks it; a run does so by itself");
            found.push(diagnostic("P809", action, span, "run", message, "not known here", help));
        }
    }
    true
}

/// Every name that this program knows: as many as fit into a line or two.
fn platform(registry: &Registry) -> impl Iterator<Item = &str> {
    registry.runtimes.keys().map(String::as_str)
}

/// P320 and P321: scripts and dummy data files.
fn files(
    project: &Project,
    action: &Action,
    tree: &Tree,
    folded: &BTreeMap<String, &str>,
    found: &mut Vec<Diagnostic>,
) {
    let scripts = scripts(action)
        .into_iter()
        .map(|(slot, path)| (action.word_spans.get(slot).copied().unwrap_or(action.span), "run", path));
    let dummy = action.dummy_data_file.iter().filter(|_| action.special() == Some(SpecialCommand::GenerateCohort));
    let dummy = dummy.filter(|f| !f.starts_with('/') && !f.split('/').any(|s| s == ".."));
    let dummy = dummy.map(|f| {
        (action.dummy_data_file_span.unwrap_or(action.span), "dummy_data_file", f.trim_start_matches("./").to_owned())
    });
    for (span, key, path) in scripts.chain(dummy) {
        if tree.files.contains(&path) || is_made(project, action, &path) {
            continue;
        }
        if let Some(other) = folded.get(&path.to_lowercase()) {
            let message = format!("{} is spelt {} in the study", quoted(&path), quoted(other));
            let help = "write it exactly as the file is named: some laptops do not mind, a backend does".to_owned();
            found.push(diagnostic("P321", action, span, key, message, "differs by case", help));
        } else {
            let message = format!("the study has no file {}", quoted(&path));
            let near = nearest(
                &path,
                tree.files.iter().map(String::as_str).filter(|f| f.len().abs_diff(path.len()) <= path.len()),
            );
            let help = did_you_mean(&near)
                .unwrap_or_else(|| "create the file, or commit it, or need the action that makes it".to_owned());
            let mut fault = diagnostic("P320", action, span, key, message, "not found", help);
            if let Some(maker) = project.actions.iter().find(|a| a.name != action.name && makes(a, &path)) {
                fault
                    .labels
                    .push(Label { span: maker.span, message: "this action makes it, but is not needed".to_owned() });
            }
            found.push(fault);
        }
    }
}

fn makes(action: &Action, path: &str) -> bool {
    action.outputs.iter().any(|o| o.pattern.matches(path))
}

/// Whether an action that this one needs, through any number of steps, makes the file.
fn is_made(project: &Project, action: &Action, path: &str) -> bool {
    let mut seen: BTreeSet<&ActionName> = BTreeSet::new();
    let mut open: Vec<&ActionName> = action.needs.iter().collect();
    while let Some(name) = open.pop() {
        if let Some(needed) = project.action(name).filter(|_| seen.insert(name)) {
            if makes(needed, path) {
                return true;
            }
            open.extend(&needed.needs);
        }
    }
    false
}

/// A path as written in a command, as a path from the study's folder; `None` for one that lies elsewhere.
fn relative(word: &str) -> Option<&str> {
    let path = word.strip_prefix("/workspace/").unwrap_or(word);
    let path = path.trim_start_matches("./");
    (!path.is_empty() && !path.starts_with(['/', '-', '~'])).then_some(path)
}

/// Whether a word is the name of a script.
fn is_script(path: &str) -> bool {
    [".py", ".R", ".Rmd", ".do", ".ipynb", ".sql"].iter().any(|e| path.len() > e.len() && path.ends_with(e))
}

/// The scripts of a command with the number of the word that names each: the first script argument, and the study
/// definition.
fn scripts(action: &Action) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let plain = |c: &str| !c.contains([' ', '*', ':', '(', ';']);
    if let Some((slot, path)) = action
        .words
        .iter()
        .enumerate()
        .skip(1)
        .find_map(|(slot, w)| relative(w).filter(|p| is_script(p) && plain(p)).map(|p| (slot, p)))
    {
        found.push((slot, path.to_owned()));
    }
    for (_, slot, value) in crate::expand::option_values(&action.words, "--study-definition") {
        if let Some(name) = value.filter(|v| !v.is_empty() && !v.contains('/')) {
            found.push((slot, format!("analysis/{name}.py")));
        }
    }
    found
}

/// The files of the study that a command names (spec project-yaml.md 5.3), sorted, without repeats: its scripts,
/// `analysis/X.py` for `--study-definition X`, and every other word or `--option=value` that looks like a relative path.
/// `/workspace/` and `./` before a path are removed. Whether the files exist is not asked.
pub fn files_named(action: &Action) -> Vec<String> {
    let mut found: BTreeSet<String> = scripts(action).into_iter().map(|(_, path)| path).collect();
    for word in action.words.iter().skip(1) {
        let value = match word.split_once('=') {
            Some((option, value)) if option.starts_with('-') => value,
            _ => word,
        };
        let Some(path) = relative(value) else { continue };
        let looks_like_one = (path.contains('/') || has_extension(path))
            && !path.contains(['*', ' ', '\n', '\t', '\0'])
            && !path.contains("://")
            && !path.split('/').any(|s| s == ".." || s.is_empty());
        if looks_like_one {
            found.insert(path.to_owned());
        }
    }
    found.into_iter().collect()
}

/// Whether the last part ends in a letter-led extension, as in `codelist.csv` but not `0.05` or `v1.2`.
fn has_extension(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(stem, extension)| {
        !stem.is_empty()
            && extension.starts_with(|c: char| c.is_ascii_alphabetic())
            && extension.bytes().all(|b| b.is_ascii_alphanumeric())
    })
}
