//! `cloister plan`: what would run, and why. Spec cli.md 6. Writes nothing.
//! Nothing can have run in this folder yet, so every plan is that of an empty workspace.

use std::collections::BTreeMap;
use std::error::Error;

use jobs::{JobId, PlanRequest, Reason, RequestId, Stale, Visited};
use pipeline::report::visible;
use pipeline::{ActionName, Project, Severity, quote_command};
use serde_json::json;

use crate::args::{self, Global, Plan, PlanFormat};
use crate::check::{human, settings};
use crate::exit::Exit;
use crate::project;
use crate::terminal::Terminal;
use crate::words::plural;

pub(crate) fn plan(args: &Plan, global: &Global, terminal: &Terminal) -> Result<Exit, Box<dyn Error>> {
    let found = project::find(args.selection.project_dir.as_deref(), terminal)?;
    let settings = settings(global, Some(&found.folder), terminal)?;
    let diagnostics = found.diagnostics();
    let broken = diagnostics.iter().any(|d| d.severity == Severity::Error);
    let Some(project) = found.loaded.project.as_ref().filter(|_| !broken) else {
        terminal.error(&human(&found, &diagnostics, terminal, terminal.color_err));
        return Ok(Exit::No);
    };
    let request_id = args.request_id.as_deref().map(str::parse::<RequestId>).transpose()?;
    let stale = match args.selection.stale {
        Some(args::Stale::Keep) => Stale::Keep,
        None if settings.one("run.stale") == Some("keep") => Stale::Keep,
        _ => Stale::Rerun,
    };
    let mut requested: Vec<ActionName> = args.selection.actions.iter().map(ActionName::new).collect();
    if requested.is_empty() {
        requested.push(ActionName::new("run_all"));
    }
    let force = args.selection.force_run_dependencies;
    let request = PlanRequest { requested, force, stale, codelists_ok: true, commit: None };
    let planned = jobs::plan::plan(project, &request, &BTreeMap::new())?;
    let view = View { project, request: &request, planned: &planned, request_id };
    match args.format {
        PlanFormat::Human => view.human(terminal),
        PlanFormat::Json => terminal.line(&view.json().to_string()),
        PlanFormat::Mermaid => terminal.out(&view.mermaid()),
        PlanFormat::Dot => terminal.out(&view.dot()),
    }
    Ok(Exit::Done)
}

struct View<'a> {
    project: &'a Project,
    request: &'a PlanRequest,
    planned: &'a jobs::Plan,
    request_id: Option<RequestId>,
}

impl View<'_> {
    fn job(&self, visited: &Visited) -> Option<JobId> {
        self.request_id.as_ref().filter(|_| visited.is_new()).map(|id| JobId::of(id, &visited.action))
    }

    fn human(&self, terminal: &Terminal) {
        let names: Vec<String> = self.planned.visited.iter().map(|v| visible(v.action.as_str()).into_owned()).collect();
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        for (visited, name) in self.planned.visited.iter().zip(&names) {
            let word = if visited.is_new() { "run" } else { "reuse" };
            let runtime = self.project.action(&visited.action).map_or_else(String::new, |a| a.runtime.to_string());
            let job = self.job(visited).map_or_else(String::new, |id| format!("  {id}"));
            let reason = reason_words(visited.reason);
            let line = format!("{word:<7} {name:<width$}  {reason:<13}  {}{job}", visible(&runtime));
            terminal.line(line.trim_end());
            if !visited.waits_for.is_empty() {
                let needs: Vec<String> = visited.waits_for.iter().map(|n| visible(n.as_str()).into_owned()).collect();
                terminal.line(&format!("{:8}{:width$}  after {}", "", "", needs.join(", ")));
            }
        }
        for warning in &self.planned.warnings {
            terminal.error(&format!("warning: {}", visible(&warning.to_string())));
        }
        let to_run = self.planned.new_jobs().count();
        let waves = self.planned.new_jobs().map(|v| v.wave).max().unwrap_or(0);
        let all = plural(self.planned.visited.len(), "action");
        terminal.line(&format!("{to_run} of {all} to run, in {}", plural(waves as usize, "wave")));
    }

    /// The document `cloister.plan/1` of project-yaml.md 13, as far as an empty workspace has something to say.
    fn json(&self) -> serde_json::Value {
        let actions: Vec<serde_json::Value> = self
            .planned
            .visited
            .iter()
            .filter_map(|visited| {
                let action = self.project.action(&visited.action)?;
                let words = action.expand(self.project, pipeline::DataKind::Dummy).words;
                let mut entry = json!({
                    "action": action.name,
                    "line": action.span.start.line,
                    "decision": visited.decision(),
                    "reason": visited.reason.as_str(),
                    "needs": action.needs,
                    "waits_for": visited.waits_for,
                    "wave": visited.wave,
                    "runtime": { "written": action.runtime.to_string() },
                    "database": action.is_database(),
                    "command_line": quote_command(&words),
                    "command": words,
                    "outputs": action.outputs,
                    "last": null,
                });
                if let Some(id) = self.job(visited) {
                    entry["job"] = json!(id.to_string());
                }
                Some(entry)
            })
            .collect();
        json!({
            "schema": "cloister.plan/1",
            "requested": self.request.requested,
            "force": self.request.force,
            "stale": if self.request.stale == Stale::Keep { "keep" } else { "rerun" },
            "nothing_to_do": self.planned.nothing_to_do.map(|n| n.as_str()),
            "actions": actions,
        })
    }

    fn edges(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let place: BTreeMap<&ActionName, usize> =
            self.planned.visited.iter().enumerate().map(|(i, v)| (&v.action, i)).collect();
        self.planned.visited.iter().enumerate().flat_map(move |(i, visited)| {
            let needs = self.project.action(&visited.action).map_or(&[][..], |a| &a.needs);
            needs.iter().filter_map(|need| place.get(need).map(|&j| (j, i))).collect::<Vec<_>>()
        })
    }

    /// Names are quoted so that they cannot end a label or start markup.
    fn mermaid(&self) -> String {
        let mut text = String::from("graph TD\n");
        for (i, visited) in self.planned.visited.iter().enumerate() {
            let name: String = visible(visited.action.as_str())
                .chars()
                .map(|c| {
                    if c.is_ascii_alphanumeric() || "_-. ".contains(c) {
                        c.to_string()
                    } else {
                        format!("#{};", c as u32)
                    }
                })
                .collect();
            text.push_str(&format!("  a{i}[\"{name}\"]\n"));
        }
        for (from, to) in self.edges() {
            text.push_str(&format!("  a{from} --> a{to}\n"));
        }
        text
    }

    fn dot(&self) -> String {
        let mut text = String::from("digraph plan {\n  rankdir=LR;\n");
        for (i, visited) in self.planned.visited.iter().enumerate() {
            let name = visible(visited.action.as_str()).replace('\\', "\\\\").replace('"', "\\\"");
            text.push_str(&format!("  a{i} [label=\"{name}\"];\n"));
        }
        for (from, to) in self.edges() {
            text.push_str(&format!("  a{from} -> a{to};\n"));
        }
        text.push_str("}\n");
        text
    }
}

fn reason_words(reason: Reason) -> &'static str {
    match reason {
        Reason::AlreadyActive => "already active",
        Reason::Requested => "requested",
        Reason::Forced => "forced",
        Reason::OutputMissing => "output missing",
        Reason::Stale => "out of date",
        Reason::Succeeded => "succeeded",
        Reason::FailedBefore => "failed before",
        Reason::NeverRun => "never run",
    }
}
