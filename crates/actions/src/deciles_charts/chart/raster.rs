//! A drawing as pixels. The rasteriser is plain arithmetic without processor specials: the same pixels everywhere.
//! Long lines are drawn in parts, so that no number of dates is too many.

use tiny_skia::{FillRule, LineCap, LineJoin, Mask, Paint, Path, PathBuilder, Pixmap, StrokeDash, Transform};
use ttf_parser::OutlineBuilder;

use super::drawing::{Colour, Drawing, Item, Point, Rect, Stroke, Words};
use super::font::Font;

/// Most points of a line that are drawn at once; the dashes go on where they stopped.
const PART: usize = 500;

/// Red, green and blue of every pixel, row by row; `None` if the canvas is too large to hold.
pub(super) fn render(drawing: &Drawing, font: &Font) -> Option<Vec<u8>> {
    let mut canvas = Canvas {
        pixels: Pixmap::new(drawing.width, drawing.height)?,
        clip: Mask::new(drawing.width, drawing.height)?,
        font,
    };
    canvas.pixels.fill(tiny_skia::Color::WHITE);
    if let Some(plot) = rounded(drawing.plot, 0.0) {
        canvas.clip.fill_path(&plot, FillRule::Winding, true, Transform::identity());
    }
    for item in &drawing.items {
        canvas.item(item);
    }
    // White covers everything from the start, so no pixel shines through.
    Some(canvas.pixels.pixels().iter().flat_map(|pixel| [pixel.red(), pixel.green(), pixel.blue()]).collect())
}

struct Canvas<'a> {
    pixels: Pixmap,
    clip: Mask,
    font: &'a Font,
}

#[allow(clippy::cast_possible_truncation, reason = "pictures are drawn in single precision")]
fn single(number: f64) -> f32 {
    number as f32
}

fn paint(colour: Colour) -> Paint<'static> {
    let [r, g, b, a] = colour.0;
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color_rgba8(r, g, b, a);
    paint
}

/// The middle of the pixel that a coordinate falls into: a line of about a pixel is sharp there.
fn snapped(coordinate: f64) -> f64 {
    coordinate.floor() + 0.5
}

impl Canvas<'_> {
    fn item(&mut self, item: &Item) {
        match item {
            Item::Line { points, stroke, clipped, snap, .. } => {
                let points: Vec<Point> =
                    points.iter().map(|(x, y)| if *snap { (snapped(*x), snapped(*y)) } else { (*x, *y) }).collect();
                self.line(&points, *stroke, *clipped);
            }
            Item::Box { rect, radius, fill, stroke, .. } => {
                if let (Some(colour), Some(path)) = (fill, rounded(*rect, *radius)) {
                    self.fill(&path, *colour, Transform::identity());
                }
                let (left, top) = (snapped(rect.x), snapped(rect.y));
                let (width, height) = (snapped(rect.right()) - left, snapped(rect.bottom()) - top);
                if let (Some(stroke), Some(path)) = (stroke, rounded(Rect { x: left, y: top, width, height }, *radius))
                {
                    self.stroke(&path, *stroke, 0.0, false);
                }
            }
            Item::Dot { at: (x, y), radius, fill, stroke, .. } => {
                let Some(path) = PathBuilder::from_circle(single(*x), single(*y), single(*radius)) else { return };
                if let Some(colour) = fill {
                    self.fill(&path, *colour, Transform::identity());
                }
                self.stroke(&path, *stroke, 0.0, false);
            }
            Item::Words(words) => self.words(words),
        }
    }

    fn line(&mut self, points: &[Point], stroke: Stroke, clipped: bool) {
        let mut gone = 0.0;
        let mut from = 0;
        while from + 1 < points.len() {
            let part = &points[from..points.len().min(from + PART)];
            let mut path = PathBuilder::new();
            for (at, (x, y)) in part.iter().enumerate() {
                if at == 0 { path.move_to(single(*x), single(*y)) } else { path.line_to(single(*x), single(*y)) }
            }
            if let Some(path) = path.finish() {
                self.stroke(&path, stroke, gone, clipped);
            }
            gone += part.iter().zip(part.iter().skip(1)).map(|(a, b)| distance(*a, *b)).sum::<f64>();
            from += part.len() - 1;
        }
    }

    /// `gone`: how much of the line lies before this part.
    fn stroke(&mut self, path: &Path, stroke: Stroke, gone: f64, clipped: bool) {
        let dash =
            stroke.dash.and_then(|[on, off]| StrokeDash::new(vec![single(on), single(off)], single(gone % (on + off))));
        let line_cap = if dash.is_some() { LineCap::Butt } else { LineCap::Square };
        let style = tiny_skia::Stroke {
            width: single(stroke.width),
            line_cap,
            line_join: LineJoin::Round,
            dash,
            ..Default::default()
        };
        let mask = clipped.then_some(&self.clip);
        self.pixels.stroke_path(path, &paint(stroke.colour), &style, Transform::identity(), mask);
    }

    fn fill(&mut self, path: &Path, colour: Colour, transform: Transform) {
        self.pixels.fill_path(path, &paint(colour), FillRule::Winding, transform, None);
    }

    fn words(&mut self, words: &Words) {
        let mut outline = Outline(PathBuilder::new());
        self.font.outline(&words.text, words.size, &mut outline);
        let Some(path) = outline.0.finish() else { return };
        let (cos, sin) = words.turn.direction();
        let (cos, sin) = (single(cos), single(sin));
        let transform = Transform::from_row(cos, -sin, sin, cos, single(words.at.0), single(words.at.1));
        self.fill(&path, super::build::ink(), transform);
    }
}

fn distance(a: Point, b: Point) -> f64 {
    let (x, y) = (b.0 - a.0, b.1 - a.1);
    (x * x + y * y).sqrt()
}

fn rounded(rect: Rect, radius: f64) -> Option<Path> {
    let (left, top) = (single(rect.x), single(rect.y));
    let (right, bottom) = (single(rect.right()), single(rect.bottom()));
    let r = single(radius);
    let mut path = PathBuilder::new();
    path.move_to(left + r, top);
    for (end, corner, after) in [
        ((right - r, top), (right, top), (right, top + r)),
        ((right, bottom - r), (right, bottom), (right - r, bottom)),
        ((left + r, bottom), (left, bottom), (left, bottom - r)),
        ((left, top + r), (left, top), (left + r, top)),
    ] {
        path.line_to(end.0, end.1);
        path.quad_to(corner.0, corner.1, after.0, after.1);
    }
    path.close();
    path.finish()
}

/// A glyph's outline as a path.
struct Outline(PathBuilder);

impl OutlineBuilder for Outline {
    fn move_to(&mut self, x: f32, y: f32) {
        self.0.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.0.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.0.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.0.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.0.close();
    }
}
