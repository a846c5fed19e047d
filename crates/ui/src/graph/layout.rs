//! Where nodes and edges go: columns by longest path, rows by the middle of neighbours, long edges through free lanes.
//! Deterministic, and of bounded work: at most [`super::MOST_ALONE`] nodes.

use unicode_width::UnicodeWidthStr;

use super::{MOST_ALONE, Shape};

/// Height of a node.
pub(super) const HIGH: i32 = 30;
/// From one row to the next.
const ROW: i32 = 42;
/// Between two columns.
const GAP: i32 = 38;
/// Width of a letter of the drawing's font.
const LETTER: i32 = 7;
/// What a node needs beside its name: a drawing before, letters of levels behind.
const BESIDE: i32 = 62;
/// The most letters of a name that are shown.
pub(super) const LONGEST: usize = 30;
/// How often the rows are put in order of their neighbours; more changes little.
const SWEEPS: usize = 8;

/// A rectangle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Left side.
    pub x: i32,
    /// Upper side.
    pub y: i32,
    /// Width.
    pub width: i32,
    /// Which column it is in.
    pub column: usize,
}

/// A finished layout.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    /// The place of each node, in the order of the shape.
    pub places: Vec<Place>,
    /// The way of each edge: points (x, y) from the right side of one node to the left side of another.
    pub ways: Vec<Vec<(i32, i32)>>,
    /// Width of each column.
    pub columns: Vec<i32>,
    /// Width and height of all.
    pub size: (i32, i32),
}

/// Something that has a row in a column: a node, or the lane of an edge that goes past.
struct Cell {
    column: usize,
    node: Option<usize>,
    before: Vec<usize>,
    after: Vec<usize>,
    row: i32,
}

impl Layout {
    /// Lays a shape out. Of more than [`MOST_ALONE`] nodes none is placed: a table tells more.
    pub fn of(shape: &Shape) -> Self {
        let count = shape.names.len();
        if count == 0 || count > MOST_ALONE {
            return Self::default();
        }
        let mut edges: Vec<(usize, usize)> =
            shape.edges.iter().copied().filter(|&(from, to)| from < count && to < count && from != to).collect();
        edges.sort_unstable();
        edges.dedup();
        let columns = columns(count, &mut edges);
        let (mut cells, lanes) = cells(&columns, &edges);
        let mut order = order(&mut cells);
        place_rows(&mut cells, &mut order);
        draw_up(shape, &cells, &lanes, &columns)
    }
}

/// The column of each node: the longest path that leads to it. An edge that would close a cycle is left out.
fn columns(count: usize, edges: &mut Vec<(usize, usize)>) -> Vec<usize> {
    let mut after = vec![Vec::new(); count];
    let mut waiting = vec![0usize; count];
    for &(from, to) in edges.iter() {
        after[from].push(to);
        waiting[to] += 1;
    }
    let mut column = vec![0; count];
    let mut done = vec![false; count];
    let mut ready: Vec<usize> = (0..count).rev().filter(|&n| waiting[n] == 0).collect();
    for _ in 0..count {
        // With a cycle nobody is ready: the first that is left begins, and what points back at it is dropped below.
        let next = ready.pop().or_else(|| (0..count).find(|&n| !done[n]));
        let Some(node) = next else { break };
        done[node] = true;
        for &to in &after[node] {
            if done[to] {
                continue;
            }
            column[to] = column[to].max(column[node] + 1);
            waiting[to] = waiting[to].saturating_sub(1);
            if waiting[to] == 0 {
                ready.push(to);
            }
        }
    }
    edges.retain(|&(from, to)| column[from] < column[to]);
    column
}

/// Cells for all nodes, and for each edge the cells it passes.
fn cells(columns: &[usize], edges: &[(usize, usize)]) -> (Vec<Cell>, Vec<Vec<usize>>) {
    let cell = |column, node| Cell { column, node, before: Vec::new(), after: Vec::new(), row: 0 };
    let mut cells: Vec<Cell> = columns.iter().enumerate().map(|(n, &column)| cell(column, Some(n))).collect();
    let mut lanes = Vec::with_capacity(edges.len());
    for &(from, to) in edges {
        let mut lane = vec![from];
        // Edges from the same node share their lane as far as it goes: one line that branches is easier to follow.
        for column in columns[from] + 1..columns[to] {
            let last = lane[lane.len() - 1];
            let shared = cells[last].after.iter().copied().find(|&c| cells[c].node.is_none());
            let next = shared.unwrap_or_else(|| {
                cells.push(cell(column, None));
                let new = cells.len() - 1;
                cells[last].after.push(new);
                cells[new].before.push(last);
                new
            });
            lane.push(next);
        }
        let last = lane[lane.len() - 1];
        cells[last].after.push(to);
        cells[to].before.push(last);
        lane.push(to);
        lanes.push(lane);
    }
    (cells, lanes)
}

/// The cells of each column from top to bottom, ordered by the middle of their neighbours so that few edges cross.
fn order(cells: &mut [Cell]) -> Vec<Vec<usize>> {
    let last = cells.iter().map(|c| c.column).max().unwrap_or(0);
    let mut order = vec![Vec::new(); last + 1];
    for (at, cell) in cells.iter().enumerate() {
        order[cell.column].push(at);
    }
    for column in &order {
        number(cells, column);
    }
    for sweep in 0..SWEEPS {
        let forwards = sweep % 2 == 0;
        for step in 0..=last {
            let column = &mut order[if forwards { step } else { last - step }];
            let mut wish: Vec<(i64, usize)> = column
                .iter()
                .map(|&c| {
                    let near = if forwards { &cells[c].before } else { &cells[c].after };
                    (middle(cells, near).unwrap_or(i64::from(cells[c].row) * 1_000), c)
                })
                .collect();
            wish.sort_by_key(|&(wish, _)| wish);
            *column = wish.into_iter().map(|(_, c)| c).collect();
            number(cells, column);
        }
    }
    order
}

fn number(cells: &mut [Cell], column: &[usize]) {
    for (row, &cell) in (0..).zip(column) {
        cells[cell].row = row;
    }
}

/// The mean row of some cells, in thousandths.
fn middle(cells: &[Cell], of: &[usize]) -> Option<i64> {
    let count = i64::try_from(of.len()).ok().filter(|&n| n > 0)?;
    Some(of.iter().map(|&c| i64::from(cells[c].row) * 1_000).sum::<i64>() / count)
}

/// Moves cells towards their neighbours without changing the order: first each as far up as its needs suggest, then
/// pushed down where two would meet.
fn place_rows(cells: &mut [Cell], order: &mut [Vec<usize>]) {
    for column in order.iter() {
        let mut free = 0;
        for &cell in column {
            let wish =
                middle(cells, &cells[cell].before).map_or(free, |m| i32::try_from((m + 500) / 1_000).unwrap_or(free));
            // A wish may not push the drawing far apart.
            cells[cell].row = wish.clamp(free, free + 3);
            free = cells[cell].row + 1;
        }
    }
}

fn draw_up(shape: &Shape, cells: &[Cell], lanes: &[Vec<usize>], columns: &[usize]) -> Layout {
    let last = columns.iter().copied().max().unwrap_or(0);
    let mut widths = vec![0; last + 1];
    for (name, &column) in shape.names.iter().zip(columns) {
        let letters = i32::try_from(name.width().min(LONGEST)).unwrap_or(0);
        widths[column] = widths[column].max(letters * LETTER + BESIDE);
    }
    let mut left = vec![1];
    for width in &widths {
        left.push(left[left.len() - 1] + width + GAP);
    }
    let top = |cell: &Cell| 1 + cell.row * ROW;
    let mut places = vec![Place { x: 0, y: 0, width: 0, column: 0 }; shape.names.len()];
    for cell in cells {
        if let Some(node) = cell.node {
            places[node] =
                Place { x: left[cell.column], y: top(cell), width: widths[cell.column], column: cell.column };
        }
    }
    let ways = lanes
        .iter()
        .map(|lane| {
            let mut way = Vec::with_capacity(lane.len() * 2);
            for (step, &at) in lane.iter().enumerate() {
                let cell = &cells[at];
                let y = top(cell) + HIGH / 2;
                if step > 0 {
                    way.push((left[cell.column], y));
                }
                if step + 1 < lane.len() {
                    way.push((left[cell.column] + widths[cell.column], y));
                }
            }
            way
        })
        .collect();
    let high = cells.iter().map(|c| top(c) + HIGH).max().unwrap_or(0) + 1;
    Layout { places, ways, size: (left[last] + widths[last] + 1, high), columns: widths }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shape(count: usize, edges: &[(usize, usize)]) -> Shape {
        Shape { names: (0..count).map(|n| format!("action_{n}")).collect(), edges: edges.to_vec() }
    }

    #[test]
    fn depth_is_the_longest_path() {
        // 0 -> 1 -> 3, 0 -> 3, 2 alone.
        let layout = Layout::of(&shape(4, &[(0, 1), (1, 3), (0, 3)]));
        let columns: Vec<usize> = layout.places.iter().map(|p| p.column).collect();
        assert_eq!(columns, [0, 1, 0, 2]);
        // The edge past column 1 has a lane of its own there: four points, not two.
        assert_eq!(layout.ways.iter().map(Vec::len).collect::<Vec<_>>(), [2, 4, 2]);
    }

    #[test]
    fn a_cycle_and_edges_to_nowhere_are_survived() {
        let layout = Layout::of(&shape(3, &[(0, 1), (1, 0), (2, 2), (1, 9), (1, 2)]));
        assert_eq!(layout.places.len(), 3);
        assert!(layout.ways.len() >= 2);
        assert_eq!(Layout::of(&shape(MOST_ALONE + 1, &[])), Layout::default());
    }

    fn any_shape() -> impl Strategy<Value = Shape> {
        (1usize..40).prop_flat_map(|count| {
            prop::collection::vec((0..count, 0..count), 0..80).prop_map(move |edges| shape(count, &edges))
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn nodes_never_overlap_and_edges_never_cross_a_node(shape in any_shape()) {
            let layout = Layout::of(&shape);
            for (n, a) in layout.places.iter().enumerate() {
                prop_assert!(a.x >= 0 && a.y >= 0 && a.x + a.width <= layout.size.0 && a.y + HIGH <= layout.size.1);
                for b in &layout.places[n + 1..] {
                    let apart = a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + HIGH < b.y || b.y + HIGH < a.y;
                    prop_assert!(apart, "{a:?} {b:?}");
                }
            }
            for way in &layout.ways {
                prop_assert!(way.len() >= 2 && way.len() % 2 == 0);
                for pair in way.windows(2) {
                    prop_assert!(pair[0].0 <= pair[1].0, "edges go to the right");
                }
                // Inside a column a way is level, and in a row that no node has.
                for lane in way[1..way.len() - 1].chunks(2) {
                    prop_assert_eq!(lane[0].1, lane[1].1);
                    for place in &layout.places {
                        let meets = place.x < lane[1].0 && place.x + place.width > lane[0].0
                            && place.y <= lane[0].1 && lane[0].1 <= place.y + HIGH;
                        prop_assert!(!meets);
                    }
                }
            }
        }

        #[test]
        fn edges_without_a_cycle_are_all_drawn(shape in any_shape()) {
            let mut edges: Vec<_> = shape.edges.iter().copied().filter(|(a, b)| a < b).collect();
            edges.sort_unstable();
            edges.dedup();
            let layout = Layout::of(&Shape { names: shape.names.clone(), edges: edges.clone() });
            prop_assert_eq!(layout.ways.len(), edges.len());
            for ((from, to), way) in edges.iter().zip(&layout.ways) {
                let (a, b) = (layout.places[*from], layout.places[*to]);
                prop_assert_eq!(way[0], (a.x + a.width, a.y + HIGH / 2));
                prop_assert_eq!(way[way.len() - 1], (b.x, b.y + HIGH / 2));
                prop_assert!(a.column < b.column);
            }
        }
    }
}
