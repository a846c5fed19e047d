//! A picture as shapes and words, before it is pixels or SVG: both are made from the same.
//! Lengths are pixels of a canvas with 100 to the inch; y grows downwards.

/// Red, green, blue, and how much of it covers (255 = all).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Colour(pub(super) [u8; 4]);

impl Colour {
    /// `#0000ff`
    pub(super) fn hex(self) -> String {
        let [r, g, b, _] = self.0;
        format!("#{r:02x}{g:02x}{b:02x}")
    }
}

/// Pixels in a typographic point.
pub(super) const PT: f64 = 100.0 / 72.0;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stroke {
    pub(super) colour: Colour,
    pub(super) width: f64,
    /// Lengths on and off.
    pub(super) dash: Option<[f64; 2]>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rect {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Rect {
    pub(super) fn right(&self) -> f64 {
        self.x + self.width
    }

    pub(super) fn bottom(&self) -> f64 {
        self.y + self.height
    }
}

pub(super) type Point = (f64, f64);

/// Which way words run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Level,
    /// Rising to the right at 30 degrees.
    Rising,
    /// From bottom to top.
    Upright,
}

impl Turn {
    /// Cosine and sine of the angle, written out so that they are the same everywhere.
    pub(super) fn direction(self) -> (f64, f64) {
        match self {
            Self::Level => (1.0, 0.0),
            Self::Rising => (0.866_025_403_784_438_6, 0.5),
            Self::Upright => (0.0, 1.0),
        }
    }

    pub(super) fn degrees(self) -> u32 {
        match self {
            Self::Level => 0,
            Self::Rising => 30,
            Self::Upright => 90,
        }
    }
}

/// One line of words; `at` is the left end of its base line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Words {
    pub(super) text: String,
    pub(super) class: &'static str,
    pub(super) at: Point,
    pub(super) size: f64,
    /// How long the line is, as measured with the font.
    pub(super) length: f64,
    pub(super) turn: Turn,
}

impl Words {
    /// The corners of the space that the words take, ascenders and descenders included.
    pub(super) fn corners(&self) -> [Point; 4] {
        let (cos, sin) = self.turn.direction();
        let (up, down) = (super::font::ASCENT * self.size, super::font::DESCENT * self.size);
        [(0.0, -up), (self.length, -up), (self.length, down), (0.0, down)]
            .map(|(x, y)| (self.at.0 + x * cos + y * sin, self.at.1 - x * sin + y * cos))
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    /// Straight lines through points. `snap`: level and upright lines are moved onto whole pixels in a PNG.
    Line {
        class: String,
        points: Vec<Point>,
        stroke: Stroke,
        clipped: bool,
        snap: bool,
    },
    /// A box with corners rounded by `radius`.
    Box {
        class: &'static str,
        rect: Rect,
        radius: f64,
        fill: Option<Colour>,
        stroke: Option<Stroke>,
    },
    /// A circle.
    Dot {
        class: String,
        at: Point,
        radius: f64,
        fill: Option<Colour>,
        stroke: Stroke,
    },
    Words(Words),
}

/// A whole picture.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Drawing {
    pub(super) width: u32,
    pub(super) height: u32,
    /// What clipped lines are cut to.
    pub(super) plot: Rect,
    /// The measure; letters, digits and `_`.
    pub(super) id: String,
    pub(super) title: String,
    pub(super) description: String,
    /// From back to front.
    pub(super) items: Vec<Item>,
}

pub(super) const WHITE: Colour = Colour([255, 255, 255, 255]);
/// Words: #262626.
pub(super) const INK: Colour = Colour([0x26, 0x26, 0x26, 255]);
