//! A measure's deciles as a picture: where everything stands (actions.md 6.4).
//! First everything is placed with the plot's corner at (0, 0), then the canvas is cut round it.

use jiff::civil::Date;

use super::super::config::Labels;
use super::super::table::Deciles;
use super::axis;
use super::drawing::{Colour, Drawing, INK, Item, PT, Point, Rect, Stroke, Turn, WHITE, Words};
use super::font::{self, Font};

pub(super) const PLOT_WIDTH: f64 = 496.0;
pub(super) const PLOT_HEIGHT: f64 = 326.4;
/// What is left free round the contents.
pub(super) const MARGIN: f64 = 10.0;
const TEXT: f64 = 12.0 * PT;
const TITLE: f64 = 14.0 * PT;
/// Between the plot and the labels of its ticks.
const PAD: f64 = 7.0 * PT;
const GRID: Stroke = Stroke { colour: Colour([0xe5, 0xe5, 0xe5, 255]), width: 0.8 * PT, dash: None };
const FRAME: Stroke = Stroke { colour: Colour([0xcc, 0xcc, 0xcc, 255]), width: 0.8 * PT, dash: None };
const BLUE: Colour = Colour([0, 0, 255, 255]);
/// From the plot to the legend, and where the legend's middle is.
const LEGEND_GAP: f64 = 49.6;
const LEGEND_AT: f64 = 0.8;
/// Inside the legend: free space, sample, sample to words, height of a row, between rows.
const LEGEND_PAD: f64 = 0.4 * TEXT;
const SAMPLE: f64 = 2.0 * TEXT;
const SAMPLE_GAP: f64 = 0.8 * TEXT;
const ROW: f64 = 1.02 * TEXT;
const ROW_GAP: f64 = 0.5 * TEXT;
const BASE_IN_ROW: f64 = 0.78 * TEXT;
/// Least distance of two slanted labels whose ticks are free to stand anywhere.
const LEAST_BETWEEN: f64 = 2.2 * TEXT;
/// Beyond the plot a line is only hinted at; far coordinates would cost precision.
const FAR: f64 = 10_000.0;

/// The three kinds of line, in the order in which they come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Outer,
    Decile,
    Median,
}

impl Kind {
    fn of(label: u8) -> Self {
        match label {
            50 => Self::Median,
            label if label % 10 == 0 => Self::Decile,
            _ => Self::Outer,
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Outer => "outer",
            Self::Decile => "decile",
            Self::Median => "median",
        }
    }

    fn legend(self) -> &'static str {
        match self {
            Self::Outer => "1st-9th, 91st-99th percentile",
            Self::Decile => "decile",
            Self::Median => "median",
        }
    }

    fn stroke(self) -> Stroke {
        let (points, dash) = match self {
            Self::Outer => (0.8, Some([1.0, 1.65])),
            Self::Decile => (1.0, Some([3.7, 1.6])),
            Self::Median => (1.5, None),
        };
        let width = points * PT;
        Stroke { colour: BLUE, width, dash: dash.map(|dash: [f64; 2]| dash.map(|part| part * width)) }
    }

    fn dot(self, class: String, at: Point) -> Item {
        let fill = (self == Self::Median).then_some(BLUE);
        Item::Dot { class, at, radius: 2.0 * PT, fill, stroke: Stroke { dash: None, ..self.stroke() } }
    }
}

/// What a chart of a measure looks like. `month_names`: as the original names ticks; `table`: its table is made too.
pub(super) fn build(deciles: &Deciles, labels: &Labels, month_names: bool, table: bool, font: &Font) -> Drawing {
    let mut builder = Builder { deciles, font, items: Vec::new() };
    builder.axes(month_names);
    builder.lines();
    builder.frame();
    match deciles.is_empty() {
        true => builder.no_data(),
        false => builder.legend(),
    }
    builder.labels(labels);
    builder.cut(super::describe::title(deciles, labels), super::describe::description(deciles, table))
}

struct Builder<'a> {
    deciles: &'a Deciles,
    font: &'a Font,
    items: Vec<Item>,
}

const PLOT: Rect = Rect { x: 0.0, y: 0.0, width: PLOT_WIDTH, height: PLOT_HEIGHT };

#[allow(clippy::cast_precision_loss, reason = "days and rows are small")]
impl Builder<'_> {
    fn words(&mut self, class: &'static str, text: &str, size: f64, turn: Turn, place: impl FnOnce(f64) -> Point) {
        let length = self.font.length(text, size);
        self.items.push(Item::Words(Words { text: text.to_owned(), class, at: place(length), size, length, turn }));
    }

    fn x(&self, date: Date) -> f64 {
        let ([first, ..], [.., last]) = (self.deciles.dates.as_slice(), self.deciles.dates.as_slice()) else {
            return PLOT_WIDTH / 2.0;
        };
        match axis::days(*first, *last) {
            0 => PLOT_WIDTH / 2.0,
            span => axis::days(*first, date) as f64 / span as f64 * PLOT_WIDTH,
        }
    }

    fn top(&self) -> f64 {
        axis::top(self.deciles.largest())
    }

    fn grid(&mut self, from: Point, to: Point) {
        let (class, points) = ("grid".to_owned(), vec![from, to]);
        self.items.push(Item::Line { class, points, stroke: GRID, clipped: false, snap: true });
    }

    fn axes(&mut self, month_names: bool) {
        let mut last = f64::NEG_INFINITY;
        for (date, label) in axis::x_ticks(&self.deciles.dates, month_names) {
            let x = self.x(date);
            if x - last < LEAST_BETWEEN {
                continue;
            }
            last = x;
            self.grid((x, 0.0), (x, PLOT_HEIGHT));
            // The upper right corner of the space round the slanted words stands under the tick.
            let (cos, sin) = Turn::Rising.direction();
            let (up, down) = (font::ASCENT * TEXT, font::DESCENT * TEXT);
            self.words("tick", &label, TEXT, Turn::Rising, |length| {
                (x - length * cos - down * sin, PLOT_HEIGHT + PAD + length * sin + up * cos)
            });
        }
        let top = self.top();
        for tick in axis::y_ticks(top) {
            let y = PLOT_HEIGHT - tick.value / top * PLOT_HEIGHT;
            self.grid((0.0, y), (PLOT_WIDTH, y));
            self.words("tick", &tick.label, TEXT, Turn::Level, |length| {
                (-PAD - length, y + font::CAPITALS * TEXT / 2.0)
            });
        }
    }

    fn frame(&mut self) {
        self.items.push(Item::Box { class: "frame", rect: PLOT, radius: 0.0, fill: None, stroke: Some(FRAME) });
    }

    /// One line for each percentile from the first to the last; a date without a value is a gap.
    fn lines(&mut self) {
        let mut order: Vec<usize> = (0..self.deciles.percentiles.len()).collect();
        let label = |at: &usize| self.deciles.percentiles.get(*at).map_or(0, |percentile| percentile.label);
        order.sort_by_key(label);
        let top = self.top();
        for at in order {
            let label = label(&at);
            let kind = Kind::of(label);
            let class = || format!("line {} p{label}", kind.class());
            let points: Vec<Option<Point>> = self
                .deciles
                .series(at)
                .map(|(date, value)| {
                    let y = PLOT_HEIGHT - value / top * PLOT_HEIGHT;
                    value.is_finite().then(|| (self.x(date), y.clamp(-FAR, FAR)))
                })
                .collect();
            for run in points.split(Option::is_none).filter(|run| !run.is_empty()) {
                let points: Vec<Point> = run.iter().flatten().copied().collect();
                self.items.push(match points.as_slice() {
                    [only] => kind.dot(class(), *only),
                    _ => Item::Line { class: class(), points, stroke: kind.stroke(), clipped: true, snap: false },
                });
            }
        }
    }

    fn legend(&mut self) {
        let mut kinds = Vec::new();
        let mut labels: Vec<u8> = self.deciles.percentiles.iter().map(|percentile| percentile.label).collect();
        labels.sort_unstable();
        for kind in labels.into_iter().map(Kind::of) {
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        let rows = kinds.len() as f64;
        let longest = kinds.iter().map(|kind| self.font.length(kind.legend(), TEXT)).fold(0.0, f64::max);
        let height = 2.0 * LEGEND_PAD + rows * ROW + (rows - 1.0) * ROW_GAP;
        let rect = Rect {
            x: PLOT_WIDTH + LEGEND_GAP,
            y: (1.0 - LEGEND_AT) * PLOT_HEIGHT - height / 2.0,
            width: 2.0 * LEGEND_PAD + SAMPLE + SAMPLE_GAP + longest,
            height,
        };
        let fill = Some(Colour([255, 255, 255, 204]));
        let stroke = Some(Stroke { colour: Colour([0xcc, 0xcc, 0xcc, 204]), ..FRAME });
        self.items.push(Item::Box { class: "legend", rect, radius: 0.2 * TEXT, fill, stroke });
        let points = self.deciles.dates.len() == 1;
        for (row, kind) in kinds.into_iter().enumerate() {
            let base = rect.y + LEGEND_PAD + row as f64 * (ROW + ROW_GAP) + BASE_IN_ROW;
            let (left, middle) = (rect.x + LEGEND_PAD, base - 0.35 * TEXT);
            let class = format!("sample {}", kind.class());
            self.items.push(match points {
                true => kind.dot(class, (left + SAMPLE / 2.0, middle)),
                false => {
                    let points = vec![(left, middle), (left + SAMPLE, middle)];
                    Item::Line { class, points, stroke: kind.stroke(), clipped: false, snap: false }
                }
            });
            self.words("legend", kind.legend(), TEXT, Turn::Level, |_| (left + SAMPLE + SAMPLE_GAP, base));
        }
    }

    fn no_data(&mut self) {
        self.words("no-data", super::describe::NO_DATA, TEXT, Turn::Level, |length| {
            ((PLOT_WIDTH - length) / 2.0, PLOT_HEIGHT / 2.0 + font::CAPITALS * TEXT / 2.0)
        });
    }

    /// Title and axis title, if there are any; both are broken into lines that fit the plot.
    fn labels(&mut self, labels: &Labels) {
        let lines = self.broken(&labels.y_label, TEXT, PLOT_HEIGHT);
        // The plot is as high as the words are long at most, so only the labels of the y axis are in the way.
        let level = self.items.iter().filter_map(|item| match item {
            Item::Words(words) if words.turn == Turn::Level && words.class == "tick" => Some(words.at.0),
            _ => None,
        });
        let left = level.fold(0.0, f64::min);
        for (row, line) in lines.iter().enumerate() {
            let further = (lines.len() - 1 - row) as f64 * 1.25 * TEXT;
            let x = left - 0.5 * TEXT - font::DESCENT * TEXT - further;
            self.words("y-label", line, TEXT, Turn::Upright, |length| (x, (PLOT_HEIGHT + length) / 2.0));
        }
        let lines = self.broken(&labels.title, TITLE, PLOT_WIDTH);
        let above = self.bounds().1.min(0.0);
        for (row, line) in lines.iter().enumerate() {
            let higher = (lines.len() - 1 - row) as f64 * 1.25 * TITLE;
            let y = above - 6.0 * PT - font::DESCENT * TITLE - higher;
            self.words("title", line, TITLE, Turn::Level, |length| ((PLOT_WIDTH - length) / 2.0, y));
        }
    }

    /// Breaks at spaces, and inside a word that is too long by itself.
    fn broken(&self, text: &str, size: f64, width: f64) -> Vec<String> {
        let fits = |line: &str| self.font.length(line, size) <= width;
        let mut lines: Vec<String> = Vec::new();
        for word in text.split_whitespace() {
            match lines.last_mut() {
                Some(line) if fits(&format!("{line} {word}")) => {
                    line.push(' ');
                    line.push_str(word);
                    continue;
                }
                _ => lines.push(String::new()),
            }
            for c in word.chars() {
                let line = lines.last().cloned().unwrap_or_default();
                if !line.is_empty() && !fits(&format!("{line}{c}")) {
                    lines.push(String::new());
                }
                if let Some(line) = lines.last_mut() {
                    line.push(c);
                }
            }
        }
        lines
    }

    /// Left, top, right, bottom of everything.
    fn bounds(&self) -> (f64, f64, f64, f64) {
        let mut bounds = (0.0_f64, 0.0_f64, PLOT_WIDTH, PLOT_HEIGHT);
        let mut hold = |(x, y): Point| {
            bounds = (bounds.0.min(x), bounds.1.min(y), bounds.2.max(x), bounds.3.max(y));
        };
        for item in &self.items {
            match item {
                Item::Words(words) => words.corners().into_iter().for_each(&mut hold),
                Item::Box { rect, .. } => {
                    [(rect.x, rect.y), (rect.right(), rect.bottom())].into_iter().for_each(&mut hold)
                }
                Item::Line { .. } | Item::Dot { .. } => {}
            }
        }
        bounds
    }

    /// Moves everything so that the margin is left free, the plot's left and top edges on whole pixels.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a canvas is some hundred pixels wide")]
    fn cut(self, title: String, description: String) -> Drawing {
        let (left, top, right, bottom) = self.bounds();
        let (dx, dy) = ((MARGIN - left).ceil(), (MARGIN - top).ceil());
        let mut items = vec![Item::Box {
            class: "paper",
            rect: Rect { x: 0.0, y: 0.0, width: (right + dx + MARGIN).ceil(), height: (bottom + dy + MARGIN).ceil() },
            radius: 0.0,
            fill: Some(WHITE),
            stroke: None,
        }];
        let (width, height) = ((right + dx + MARGIN).ceil() as u32, (bottom + dy + MARGIN).ceil() as u32);
        let moved = |at: Point| (at.0 + dx, at.1 + dy);
        items.extend(self.items.into_iter().map(|mut item| {
            match &mut item {
                Item::Line { points, .. } => points.iter_mut().for_each(|point| *point = moved(*point)),
                Item::Box { rect, .. } => (rect.x, rect.y) = moved((rect.x, rect.y)),
                Item::Dot { at, .. } => *at = moved(*at),
                Item::Words(words) => words.at = moved(words.at),
            }
            item
        }));
        let plot = Rect { x: dx, y: dy, ..PLOT };
        Drawing { width, height, plot, id: self.deciles.id.clone(), title, description, items }
    }
}

/// The colour of words.
pub(super) const fn ink() -> Colour {
    INK
}
