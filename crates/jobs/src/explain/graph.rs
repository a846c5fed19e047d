//! A plan as a graph for Mermaid or Graphviz: nodes by kind and decision, an arrow from each need to what needs it.
//! Spec project-yaml.md 13.

use std::collections::BTreeMap;

use super::{ActionView, PlanView, RunKind};

/// Which look a node has.
fn class(action: &ActionView) -> &'static str {
    match (action.is_new(), action.database, action.runtime.kind) {
        (true, true, _) => "run_database",
        (false, true, _) => "reuse_database",
        (true, false, RunKind::Builtin) => "run_builtin",
        (false, false, RunKind::Builtin) => "reuse_builtin",
        (true, false, _) => "run",
        (false, false, _) => "reuse",
    }
}

/// Positions of visited actions by name, and all arrows between them.
fn arrows(plan: &PlanView) -> Vec<(usize, usize)> {
    let position: BTreeMap<_, _> = plan.actions.iter().enumerate().map(|(i, action)| (&action.action, i)).collect();
    let mut arrows = Vec::new();
    for (to, action) in plan.actions.iter().enumerate() {
        arrows.extend(action.needs.iter().filter_map(|need| position.get(need)).map(|&from| (from, to)));
    }
    arrows
}

/// The plan as a Mermaid flow chart.
pub fn plan_mermaid(plan: &PlanView) -> String {
    let mut text = String::from("flowchart TD\n");
    for (i, action) in plan.actions.iter().enumerate() {
        // Everything but letters, digits and a few marks as a character code: labels have a syntax of their own.
        let plain = |c: char| c.is_alphanumeric() || "_-. ".contains(c);
        let label = action.action.as_str().chars();
        let label: String =
            label.map(|c| if plain(c) { c.to_string() } else { format!("#{};", u32::from(c)) }).collect();
        let (open, close) = if action.database { ("[(", ")]") } else { ("[", "]") };
        text.push_str(&format!("  n{i}{open}\"{label}\"{close}:::{}\n", class(action)));
    }
    for (from, to) in arrows(plan) {
        text.push_str(&format!("  n{from} --> n{to}\n"));
    }
    text.push_str("  classDef run,run_builtin,run_database stroke-width:3px\n");
    text.push_str("  classDef reuse,reuse_builtin,reuse_database stroke-dasharray:4\n");
    text
}

/// The plan as a graph for Graphviz.
pub fn plan_dot(plan: &PlanView) -> String {
    let mut text = String::from("digraph plan {\n  node [shape=box]\n");
    for (i, action) in plan.actions.iter().enumerate() {
        let label: String = super::shown(action.action.as_str()).chars().flat_map(escaped).collect();
        let shape = match (action.database, action.runtime.kind) {
            (true, _) => ", shape=cylinder",
            (false, RunKind::Builtin) => ", shape=component",
            _ => "",
        };
        let style = if action.is_new() { "bold" } else { "dashed" };
        text.push_str(&format!("  n{i} [label=\"{label}\", style={style}{shape}]\n"));
    }
    for (from, to) in arrows(plan) {
        text.push_str(&format!("  n{from} -> n{to}\n"));
    }
    text.push_str("}\n");
    text
}

fn escaped(c: char) -> impl Iterator<Item = char> {
    let escape = matches!(c, '"' | '\\').then_some('\\');
    escape.into_iter().chain([c])
}
