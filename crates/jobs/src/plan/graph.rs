//! Walks over the graph of needs, without recursion: chains of any length and any number of needs are fine.
//! Spec jobs.md 3, rule 2.

use pipeline::Project;

/// The needs of every action as positions in the project.
pub(super) struct Graph {
    needs: Vec<Vec<usize>>,
}

/// A graph that planning cannot use; `pipeline` lets no such project pass, but a plan must not hang on one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BadGraph {
    /// The positions along a cycle, the first one again at the end.
    Cycle(Vec<usize>),
    /// Positions of an action, and of its need that is not an action of the project.
    UnknownNeed(usize, usize),
}

/// A step of a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Unseen,
    Open,
    Done,
}

impl Graph {
    pub(super) fn of(project: &Project) -> Result<Self, BadGraph> {
        let position = |at, (n, need)| project.index.get(need).copied().ok_or(BadGraph::UnknownNeed(at, n));
        let each = project.actions.iter().enumerate();
        let needs = each.map(|(at, a)| a.needs.iter().enumerate().map(|need| position(at, need)).collect());
        Ok(Self { needs: needs.collect::<Result<_, _>>()? })
    }

    pub(super) fn len(&self) -> usize {
        self.needs.len()
    }

    pub(super) fn needs(&self, at: usize) -> &[usize] {
        &self.needs[at]
    }

    /// Visits depth first from `roots`: `enter` says whether the needs of an action are visited before it is left,
    /// and `leave` is called when they have been. Each action is visited once.
    pub(super) fn walk(
        &self,
        roots: impl IntoIterator<Item = usize>,
        mut enter: impl FnMut(usize) -> bool,
        mut leave: impl FnMut(usize),
    ) -> Result<(), BadGraph> {
        let mut marks = vec![Mark::Unseen; self.len()];
        // The way from the root: each action with the number of its needs that are still to visit from the end.
        let mut way: Vec<(usize, std::slice::Iter<'_, usize>)> = Vec::new();
        for root in roots {
            let mut next = Some(root);
            loop {
                if let Some(at) = next.take() {
                    match marks[at] {
                        Mark::Done => {}
                        Mark::Open => {
                            let start = way.iter().position(|(step, _)| *step == at).unwrap_or(0);
                            let cycle = way[start..].iter().map(|(step, _)| *step).chain([at]);
                            return Err(BadGraph::Cycle(cycle.collect()));
                        }
                        Mark::Unseen => {
                            marks[at] = Mark::Open;
                            let needs: &[usize] = if enter(at) { &self.needs[at] } else { &[] };
                            way.push((at, needs.iter()));
                        }
                    }
                }
                let Some((at, rest)) = way.last_mut() else { break };
                match rest.next() {
                    Some(&need) => next = Some(need),
                    None => {
                        marks[*at] = Mark::Done;
                        leave(*at);
                        way.pop();
                    }
                }
            }
        }
        Ok(())
    }

    /// Every action after its needs.
    pub(super) fn needs_first(&self) -> Result<Vec<usize>, BadGraph> {
        let mut order = Vec::with_capacity(self.len());
        self.walk(0..self.len(), |_| true, |at| order.push(at))?;
        Ok(order)
    }

    /// 1 + the largest wave of its needs, for every action.
    pub(super) fn waves(&self, needs_first: &[usize]) -> Vec<u32> {
        let mut waves = vec![0; self.len()];
        for &at in needs_first {
            waves[at] = 1 + self.needs[at].iter().map(|&need| waves[need]).max().unwrap_or(0);
        }
        waves
    }
}

/// The positions of all actions, each after its needs; in file order where the graph is unusable.
pub(crate) fn needs_first(project: &Project) -> Vec<usize> {
    Graph::of(project).and_then(|graph| graph.needs_first()).unwrap_or_else(|_| (0..project.actions.len()).collect())
}
