//! A layout as SVG: one path for all edges, one small group for each node.
//! Colours, fonts and line widths are the style sheet's; numbers are attributes, because pages allow no inline style.

use std::collections::HashSet;
use std::fmt::Write;

use unicode_width::UnicodeWidthChar;

use super::layout::{HIGH, LONGEST, Layout};
use super::{Node, Part, Shape};
use crate::html::{Html, push_text};
use crate::icon::{Level, State};

impl Layout {
    /// Draws it. `nodes` are in the order of the shape's names. `described_by` is the id of the list that says the same
    /// in words. Nothing to draw gives an empty piece.
    pub fn draw(&self, shape: &Shape, nodes: &[Node], described_by: &str) -> Html {
        if self.places.is_empty() || nodes.len() != self.places.len() {
            return Html::default();
        }
        let (width, height) = self.size;
        let mut svg = String::with_capacity(400 + 260 * nodes.len() + 40 * self.ways.len());
        // Writing into a `String` never fails.
        let _ok = write!(
            svg,
            "<svg class=g width={width} height={height} role=group \
             aria-describedby={described_by}><defs>"
        );
        for (column, width) in self.columns.iter().enumerate() {
            let _ok = write!(svg, "<rect id=g{column} width={width} height={HIGH} rx=6 />");
        }
        let states: HashSet<State> = nodes.iter().map(|node| node.state).collect();
        let mut states: Vec<State> = states.into_iter().collect();
        states.sort_unstable_by_key(|state| self::name(*state));
        for state in states {
            let _ok = write!(svg, "<path id=v{} d=\"{}\"/>", self::name(state), stroke(state));
        }
        svg.push_str("</defs><path class=e d=\"");
        let mut drawn = HashSet::new();
        for way in &self.ways {
            edge(&mut svg, way, &mut drawn);
        }
        svg.push_str("\"/>");
        for ((place, node), name) in self.places.iter().zip(nodes).zip(&shape.names) {
            svg.push_str("<a href=\"");
            push_text(&mut svg, &node.href);
            svg.push_str("\" class=");
            let _ok = match node.part {
                Part::Requested => write!(svg, "{}", node.state.class()),
                Part::PulledIn => write!(svg, "\"{} p\"", node.state.class()),
                Part::Reused => write!(svg, "\"{} r\"", node.state.class()),
            };
            // The style sheet moves texts to their place in the box, and knows that the second of two uses is the sign.
            let _ok = write!(
                svg,
                " transform=translate({},{})><use href=#g{} /><use href=#v{} /><text>",
                place.x,
                place.y,
                place.column,
                self::name(node.state)
            );
            let short = cut(name);
            push_text(&mut svg, &short);
            svg.push_str("</text>");
            for (at, level) in (1..).zip(levels(&node.levels).iter().rev()) {
                let left = place.width - 30 - 14 * at;
                let _ok = write!(svg, "<text x={left} class={0}>{0}</text>", level.letter());
            }
            if short.len() != name.len() {
                svg.push_str("<title>");
                push_text(&mut svg, name);
                svg.push_str("</title>");
            }
            svg.push_str("</a>");
        }
        svg.push_str("</svg>");
        Html::trusted(svg)
    }
}

/// Short names of states, for ids.
fn name(state: State) -> u8 {
    match state {
        State::Pending => 0,
        State::Running => 1,
        State::Succeeded => 2,
        State::Failed => 3,
        State::NothingToDo => 4,
        State::Cancelled => 5,
        State::Unknown => 6,
    }
}

/// The same shapes as in the sprite, inside 16 by 16 at (7, 7).
fn stroke(state: State) -> &'static str {
    match state {
        State::Succeeded => "M9 15l4 4 7-8",
        State::Failed => "M10 10l10 10m0-10l-10 10",
        State::Running => "M21 15a6 6 0 1 1-3-5.2m3-.8v3.5h-3.5",
        State::Pending => "M9 15a6 6 0 1 0 12 0a6 6 0 1 0-12 0m6-3v3l2 1",
        State::NothingToDo => "M10 15h10",
        State::Cancelled => "M10 10l10 10",
        State::Unknown => "M15 19v.1M12 11c3-4 7 1 3 4",
    }
}

/// Once each, most sensitive first.
fn levels(levels: &[Level]) -> Vec<Level> {
    let mut levels = levels.to_vec();
    levels.sort_unstable();
    levels.dedup();
    levels
}

/// A line from node to node, bent between columns, with a small head. What edges share is drawn once.
fn edge(svg: &mut String, way: &[(i32, i32)], drawn: &mut HashSet<(i32, i32, i32, i32)>) {
    let mut at = None;
    for pair in way.windows(2) {
        let ((x, y), (to_x, to_y)) = (pair[0], pair[1]);
        if !drawn.insert((x, y, to_x, to_y)) {
            continue;
        }
        if at != Some((x, y)) {
            let _ok = write!(svg, "M{x} {y}");
        }
        let half = (to_x - x) / 2;
        let _ok = if y == to_y {
            write!(svg, "H{to_x}")
        } else {
            write!(svg, "c{half} 0 {half}{0} {1}{0}", Joined(to_y - y), to_x - x)
        };
        at = Some((to_x, to_y));
    }
    // The way into a node is its own, or another edge has drawn its head.
    if at.is_some() && at == way.last().copied() {
        svg.push_str("l-5-3m0 6l5-3");
    }
}

/// A number behind another: the sign of a negative one parts them already.
struct Joined(i32);

impl std::fmt::Display for Joined {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0 < 0 { write!(f, "{}", self.0) } else { write!(f, " {}", self.0) }
    }
}

/// A name that fits its node.
fn cut(name: &str) -> String {
    let mut used = 0;
    let mut short = String::new();
    for c in name.chars() {
        used += c.width().unwrap_or(1).max(1);
        if used > LONGEST {
            let _last = short.pop();
            short.push('…');
            break;
        }
        short.push(c);
    }
    short
}
