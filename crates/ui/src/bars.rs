//! Waiting and running times of jobs on one common axis, as inline SVG that grows with the page.
//! Spec site.md 4.6. Places and widths are percentages in attributes, so that text keeps its size on every screen.

use std::fmt::Write;

use crate::html::{Html, push_text};
use crate::icon::State;
use crate::time::At;

/// One stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// When it began.
    pub from: At,
    /// When it ended; for what goes on, now.
    pub to: At,
    /// How its attempt stands; none while waiting.
    pub state: Option<State>,
}

/// One line of the drawing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// What it is of.
    pub name: String,
    /// How long, in words or figures.
    pub figure: String,
    /// Its stretches, oldest first.
    pub stretches: Vec<Stretch>,
}

const LINE: usize = 34;

/// Draws bars between two moments; `label` says what the picture is of. No bars give an empty piece.
pub fn draw(bars: &[Bar], from: At, to: At, label: &str) -> Html {
    if bars.is_empty() {
        return Html::default();
    }
    let span = i128::from(to.0) - i128::from(from.0);
    // In tenths of a percent.
    let share = |at: At| {
        let part = (i128::from(at.0) - i128::from(from.0)).clamp(0, span.max(0));
        if span <= 0 { 0 } else { i64::try_from(part * 1_000 / span).unwrap_or(0) }
    };
    let mut svg = String::with_capacity(300 + 200 * bars.len());
    // Writing into a `String` never fails.
    let _ok = write!(svg, "<svg class=bars height={} role=img aria-label=\"", bars.len() * LINE + 2);
    push_text(&mut svg, label);
    svg.push_str(
        "\"><defs><pattern id=hatch width=6 height=6 patternUnits=userSpaceOnUse patternTransform=rotate(45)>\
         <path d=\"M0 0V6\"/></pattern></defs>",
    );
    for (row, bar) in bars.iter().enumerate() {
        let top = row * LINE;
        let _ok = write!(svg, "<text y={}>", top + 13);
        push_text(&mut svg, &bar.name);
        svg.push_str(" <tspan>");
        push_text(&mut svg, &bar.figure);
        svg.push_str("</tspan></text>");
        for stretch in &bar.stretches {
            let (x, end) = (share(stretch.from), share(stretch.to));
            // Half a percent is always seen.
            let width = (end - x).max(5);
            let x = x.min(1_000 - width);
            let _ok = write!(
                svg,
                "<rect class={} x={}% y={} width={}% />",
                stretch.state.map_or("w", State::class),
                Percent(x),
                top + 19,
                Percent(width)
            );
        }
    }
    svg.push_str("</svg>");
    Html::trusted(svg)
}

/// Tenths of a percent, written as briefly as can be.
struct Percent(i64);

impl std::fmt::Display for Percent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (whole, part) = (self.0 / 10, self.0 % 10);
        if part == 0 { write!(f, "{whole}") } else { write!(f, "{whole}.{part}") }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn stretches_lie_on_one_axis() {
        let bar = Bar {
            name: "a<b".into(),
            figure: "00:00:50".into(),
            stretches: vec![
                Stretch { from: At(0), to: At(25), state: None },
                Stretch { from: At(25), to: At(100), state: Some(State::Failed) },
            ],
        };
        let svg = draw(&[bar], At(0), At(200), "Bars");
        // 0 to 25 of 200 is an eighth, 25 to 100 three eighths.
        assert!(svg.as_str().contains("<rect class=w x=0% y=19 width=12.5% />"), "{svg:?}");
        assert!(svg.as_str().contains("<rect class=bad x=12.5% y=19 width=37.5% />"), "{svg:?}");
        assert!(svg.as_str().contains("a&lt;b <tspan>00:00:50"), "{svg:?}");
        assert!(draw(&[], At(0), At(1), "").is_empty());
    }

    proptest! {
        #[test]
        fn every_clock_gives_a_bar_within_the_axis(from in any::<i64>(), to in any::<i64>(), a in any::<i64>(), b in any::<i64>()) {
            let bar = Bar { name: String::new(), figure: String::new(),
                stretches: vec![Stretch { from: At(a), to: At(b), state: Some(State::Running) }] };
            let svg = draw(&[bar], At(from), At(to), "").into_string();
            let number = |name: &str| -> f64 {
                let at = svg.find(name).unwrap() + name.len();
                svg[at..].split('%').next().unwrap().parse().unwrap()
            };
            let (x, width) = (number("<rect class=run x="), number(" y=19 width="));
            prop_assert!(x >= 0.0 && width > 0.0 && x + width <= 100.001, "{x} {width}");
        }
    }
}
