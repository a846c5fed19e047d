//! A drawing as SVG: real words, a class for every kind of line, nothing active (actions.md 6.4, 11).
//! Colours are attributes, so that a style sheet may change them.

use std::fmt::Write as _;

use super::drawing::{Colour, Drawing, Item, Point, Stroke, Words};

/// The SVG, with a line end.
pub(super) fn render(drawing: &Drawing) -> String {
    let Drawing { width, height, plot, .. } = drawing;
    let id = escaped(&drawing.id);
    let mut out = String::new();
    // Writing to a String does not fail.
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"title-{id} desc-{id}\" lang=\"en\">\n\
         <title id=\"title-{id}\">{}</title>\n<desc id=\"desc-{id}\">{}</desc>\n\
         <clipPath id=\"plot-{id}\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/></clipPath>\n",
        escaped(&drawing.title),
        escaped(&drawing.description),
        number(plot.x),
        number(plot.y),
        number(plot.width),
        number(plot.height),
    );
    let ink = super::build::ink().hex();
    let _ = writeln!(out, "<g fill=\"{ink}\" font-family=\"'DejaVu Sans', Verdana, sans-serif\">");
    for item in &drawing.items {
        element(&mut out, item, &id);
    }
    out.push_str("</g>\n</svg>\n");
    out
}

fn element(out: &mut String, item: &Item, id: &str) {
    let _ = match item {
        Item::Line { class, points, stroke, clipped, .. } => {
            let clip = if *clipped { format!(" clip-path=\"url(#plot-{id})\"") } else { String::new() };
            let points: Vec<String> = points.iter().map(|(x, y)| format!("{},{}", number(*x), number(*y))).collect();
            let (points, stroke) = (points.join(" "), stroked(Some(*stroke)));
            writeln!(out, "<polyline class=\"{class}\" points=\"{points}\" fill=\"none\"{stroke}{clip}/>")
        }
        Item::Box { class, rect, radius, fill, stroke } => {
            let (x, y) = (number(rect.x), number(rect.y));
            let (width, height) = (number(rect.width), number(rect.height));
            let round = if *radius > 0.0 { format!(" rx=\"{}\"", number(*radius)) } else { String::new() };
            let (fill, stroke) = (filled(*fill), stroked(*stroke));
            writeln!(
                out,
                "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"{round}{fill}{stroke}/>"
            )
        }
        Item::Dot { class, at: (x, y), radius, fill, stroke } => {
            let (x, y, r) = (number(*x), number(*y), number(*radius));
            let (fill, stroke) = (filled(*fill), stroked(Some(*stroke)));
            writeln!(out, "<circle class=\"{class}\" cx=\"{x}\" cy=\"{y}\" r=\"{r}\"{fill}{stroke}/>")
        }
        Item::Words(words) => text(out, words),
    };
}

fn text(out: &mut String, words: &Words) -> std::fmt::Result {
    let Words { text, class, at, size, length, turn } = words;
    let (x, y): Point = *at;
    let (x, y) = (number(x), number(y));
    let turned = match turn.degrees() {
        0 => String::new(),
        degrees => format!(" transform=\"rotate(-{degrees} {x} {y})\""),
    };
    // The length keeps words in their place where DejaVu Sans is not there.
    let (size, length) = (number(*size), number(*length));
    let text = escaped(text);
    writeln!(
        out,
        "<text class=\"{class}\" x=\"{x}\" y=\"{y}\" font-size=\"{size}\" textLength=\"{length}\" \
         lengthAdjust=\"spacingAndGlyphs\"{turned}>{text}</text>"
    )
}

fn filled(fill: Option<Colour>) -> String {
    match fill {
        None => " fill=\"none\"".to_owned(),
        Some(colour) => format!(" fill=\"{}\"{}", colour.hex(), opacity("fill-opacity", colour)),
    }
}

fn stroked(stroke: Option<Stroke>) -> String {
    let Some(Stroke { colour, width, dash }) = stroke else { return String::new() };
    let mut text =
        format!(" stroke=\"{}\" stroke-width=\"{}\"{}", colour.hex(), number(width), opacity("stroke-opacity", colour));
    if let Some([on, off]) = dash {
        let _ = write!(text, " stroke-dasharray=\"{},{}\"", number(on), number(off));
    }
    text
}

fn opacity(name: &str, colour: Colour) -> String {
    match colour.0[3] {
        255 => String::new(),
        covers => format!(" {name}=\"{}\"", number(f64::from(covers) / 255.0)),
    }
}

/// Two decimals, without zeros at the end.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// Text that means nothing but itself; what XML cannot hold is replaced.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_two_decimals_at_most() {
        for (value, text) in
            [(1.0, "1"), (0.125, "0.12"), (0.5, "0.5"), (100.0, "100"), (-0.001, "0"), (326.4, "326.4")]
        {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn words_cannot_become_markup() {
        assert_eq!(
            escaped("</title><script>\"'&\u{0}\u{ffff}"),
            "&lt;/title&gt;&lt;script&gt;&quot;&#39;&amp;\u{fffd}\u{fffd}"
        );
    }
}
