//! What the project.yaml says: its text with marks, a table of its actions, and the graph of those in this request.
//! Spec site.md 4.4, 4.5.

use std::collections::{HashMap, HashSet};

use askama::Template;
use ui::graph::{Layout, MOST_ALONE, MOST_IN_A_PAGE, Node, Part, Shape};
use ui::html::Html;
use ui::icon::{Level, State};

use super::super::words;
use super::View;
use super::pipeline::{Files, Line};

/// The most characters that are shown in the page itself.
const INLINE: usize = 10_000;
/// The most faults that are listed; all are marked in the text.
const FAULTS: usize = 20;

#[derive(Template)]
#[template(path = "request/pipeline.html")]
struct Text<'a> {
    errors: &'a [(Option<u32>, String)],
    more: usize,
    text: Option<Html>,
    /// For files that are too long to be shown.
    table: Option<Html>,
}

struct ActionRow<'a> {
    line: &'a Line,
    href: Option<String>,
    here: String,
}

#[derive(Template)]
#[template(path = "request/actions.html")]
struct Actions<'a> {
    rows: Vec<ActionRow<'a>>,
}

#[derive(Template)]
#[template(path = "request/graph.html")]
struct Graph {
    drawing: Html,
}

impl View<'_> {
    pub(super) fn pipeline_text(&self, tree: Option<&Files>) -> Html {
        let Some(pipeline) = &self.pipeline else {
            return Html::of(&Text { errors: &[], more: 0, text: None, table: None });
        };
        let inline = pipeline.text.chars().nth(INLINE).is_none();
        let text = inline.then(|| ui::yaml::whole(&pipeline.text, &pipeline.marks(tree, |name| self.row_of(name))));
        let errors = &pipeline.errors[..pipeline.errors.len().min(FAULTS)];
        let more = pipeline.errors.len() - errors.len();
        Html::of(&Text { errors, more, table: text.is_none().then(|| self.actions("")), text })
    }

    /// The table of all actions; `page` is put before links to rows of the request's page.
    pub(super) fn actions(&self, page: &str) -> Html {
        let lines = self.pipeline.as_ref().map_or(&[][..], |pipeline| &pipeline.actions);
        let rows = lines
            .iter()
            .map(|line| ActionRow {
                line,
                href: self.row_of(&line.name).map(|row| format!("{page}{row}")),
                here: self.here(line, lines),
            })
            .collect();
        Html::of(&Actions { rows })
    }

    fn is_requested(&self, action: &str) -> bool {
        self.request.requested_actions.iter().any(|name| name == action || name == "run_all")
    }

    fn is_kept(&self, action: &str) -> bool {
        self.request.others.iter().any(|job| job.action == action)
    }

    /// How an action takes part in this request, in words.
    fn here(&self, line: &Line, all: &[Line]) -> String {
        let ran = self.job_of(&line.name).is_some();
        if self.request.requested_actions.contains(&line.name) || (ran && self.is_requested(&line.name)) {
            return "requested".into();
        }
        if ran {
            let by: Vec<&str> = all
                .iter()
                .filter(|other| other.needs.contains(&line.name) && self.job_of(&other.name).is_some())
                .map(|other| other.name.as_str())
                .collect();
            return if by.is_empty() { "pulled in".into() } else { format!("pulled in by {}", by.join(", ")) };
        }
        if self.is_kept(&line.name) { "reused".into() } else { "not part".into() }
    }

    /// The actions of this request with what they directly need. Small and settled enough to look at, or nothing.
    pub(super) fn graph_part(&self) -> Html {
        Html::of(&Graph { drawing: self.drawing().unwrap_or_default() })
    }

    fn drawing(&self) -> Option<Html> {
        let pipeline = self.pipeline.as_ref()?;
        let mut wanted: HashSet<&str> = HashSet::new();
        for line in pipeline.actions.iter().filter(|line| self.job_of(&line.name).is_some()) {
            wanted.insert(&line.name);
            wanted.extend(line.needs.iter().map(String::as_str));
        }
        let lines: Vec<&Line> = pipeline.actions.iter().filter(|line| wanted.contains(line.name.as_str())).collect();
        // One node says nothing that its row does not.
        (2..=MOST_IN_A_PAGE).contains(&lines.len()).then(|| self.draw_graph(&lines, ""))
    }

    /// The graph of all actions, for a page of its own; `page` is put before links to places of the request's page.
    pub(super) fn whole_graph(&self, page: &str) -> Option<Html> {
        let lines: Vec<&Line> = self.pipeline.as_ref()?.actions.iter().collect();
        (1..=MOST_ALONE).contains(&lines.len()).then(|| self.draw_graph(&lines, page))
    }

    fn draw_graph(&self, lines: &[&Line], page: &str) -> Html {
        let at: HashMap<&str, usize> = lines.iter().enumerate().map(|(n, line)| (line.name.as_str(), n)).collect();
        let edges = lines.iter().enumerate().flat_map(|(to, line)| {
            let at = &at;
            line.needs.iter().filter_map(move |need| Some((*at.get(need.as_str())?, to)))
        });
        let shape = Shape { names: lines.iter().map(|line| line.name.clone()).collect(), edges: edges.collect() };
        let nodes: Vec<Node> = lines
            .iter()
            .map(|line| {
                let node = self.node(line);
                let href = if node.href.starts_with('#') { format!("{page}{}", node.href) } else { node.href };
                Node { href, ..node }
            })
            .collect();
        Layout::of(&shape).draw(&shape, &nodes, if page.is_empty() { "jobs" } else { "main" })
    }

    fn node(&self, line: &Line) -> Node {
        let levels: Vec<Level> = line.outputs.iter().map(|(level, _)| *level).collect();
        if let Some(job) = self.job_of(&line.name) {
            let part = if self.is_requested(&line.name) { Part::Requested } else { Part::PulledIn };
            let href = format!("#j-{}", job.identifier);
            return Node { href, state: words::state(&job.status, &job.code), part, levels };
        }
        let other = self.request.others.iter().find(|job| job.action == line.name);
        let state = other
            .and_then(|job| Some(words::state(job.status.as_deref()?, job.code.as_deref().unwrap_or_default())))
            .unwrap_or(State::Unknown);
        let href =
            other.and_then(super::jobs::place).map_or_else(|| format!("#{}", ui::yaml::anchor(&line.name)), |p| p.0);
        Node { href, state, part: Part::Reused, levels }
    }
}
