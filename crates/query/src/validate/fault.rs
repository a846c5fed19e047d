//! What can be wrong with a graph, and where: node, variable, place in the study.
//! Codes are those of warehouse.md 5.7.

use std::fmt;

use crate::graph::{Graph, NodeId};

/// Kind of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// Rows of one frame meet rows of another.
    D301,
    /// The population would hold patients of whom nothing is known.
    D302,
    /// A sort or a pick that has no meaning.
    D303,
    /// The graph is not one: unknown operation, key, version, table; broken reference; too deep.
    D304,
    /// A column that the table does not have or that was not supplied.
    D305,
    /// Types.
    D306,
    /// A code that no coding system can have.
    D307,
    /// Too large.
    D309,
    /// It can never match.
    D313,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The graph runs.
    Warning,
    /// It does not.
    Error,
}

/// One fault of a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Kind.
    pub code: Code,
    /// Whether the graph can run in spite of it.
    pub severity: Severity,
    /// The node, if it is one.
    pub node: Option<NodeId>,
    /// The part of the node that is wrong, as the serialised form names it.
    pub argument: Option<&'static str>,
    /// The first variable that needs the node; `population` for the population.
    pub variable: Option<String>,
    /// `file:line` in the study.
    pub source: Option<String>,
    /// In words.
    pub message: String,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)?;
        if let Some(variable) = &self.variable {
            write!(f, " (variable {variable})")?;
        }
        match &self.source {
            Some(source) => write!(f, " at {source}"),
            None => Ok(()),
        }
    }
}

/// A fault before its place is known.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    pub(crate) severity: Severity,
    pub(crate) argument: Option<&'static str>,
    /// Of variables and population themselves; else the first variable that needs the node.
    pub(crate) variable: Option<String>,
    pub(crate) message: String,
}

impl Problem {
    pub(crate) fn new(code: Code, argument: &'static str, message: impl Into<String>) -> Self {
        Problem { code, severity: Severity::Error, argument: Some(argument), variable: None, message: message.into() }
    }

    pub(crate) fn warning(code: Code, argument: &'static str, message: impl Into<String>) -> Self {
        Problem { severity: Severity::Warning, ..Problem::new(code, argument, message) }
    }
}

/// Gives each problem its variable and its place.
pub(crate) fn place(graph: &Graph, found: Vec<(Option<NodeId>, Problem)>) -> Vec<Fault> {
    let owners = if found.is_empty() { Vec::new() } else { owners(graph) };
    let place = |(node, problem): (Option<NodeId>, Problem)| {
        let owner = node.and_then(|n| owners.get(n.0 as usize).copied().flatten());
        Fault {
            code: problem.code,
            severity: problem.severity,
            node,
            argument: problem.argument,
            variable: problem.variable.or_else(|| owner.map(str::to_owned)),
            source: node.and_then(|n| graph.source(n)).map(str::to_owned),
            message: problem.message,
        }
    };
    found.into_iter().map(place).collect()
}

/// For each node the first variable that needs it.
fn owners(graph: &Graph) -> Vec<Option<&str>> {
    let mut owners: Vec<Option<&str>> = vec![None; graph.len()];
    for (name, root) in graph.roots() {
        let mut open = vec![root];
        while let Some(node) = open.pop() {
            if let Some(owner @ None) = owners.get_mut(node.0 as usize) {
                *owner = Some(name);
                open.extend(graph.nodes[node.0 as usize].children());
            }
        }
    }
    owners
}
