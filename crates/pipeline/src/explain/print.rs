//! Prints a page for a terminal: prose broken at the width, examples indented and introduced in words.
//! Colour, width and character set as in the reports.

use super::{Block, ExampleKind, Page};
use crate::report::{HumanOptions, Style, paint, visible, wrap};

/// The page as text with a final line end.
pub fn print(page: &Page, options: &HumanOptions) -> String {
    let title = format!("{}: {}", page.code, page.title);
    let mut out = paint(options.color, Style::Strong, &title) + "\n";
    for block in &page.blocks {
        out.push('\n');
        match block {
            Block::Prose(text) => {
                for line in wrap(text, options.width.clamp(40, 100)) {
                    out += &line;
                    out.push('\n');
                }
            }
            Block::Example { kind, text } => {
                out += &paint(options.color, Style::Frame, heading(*kind));
                out += "\n\n";
                for line in text.lines() {
                    out += format!("    {}", visible(line)).trim_end();
                    out.push('\n');
                }
            }
        }
    }
    out
}

fn heading(kind: ExampleKind) -> &'static str {
    match kind {
        ExampleKind::Fail | ExampleKind::ResolveFail => "Reported:",
        ExampleKind::Good | ExampleKind::ResolveGood => "Corrected:",
        ExampleKind::Text => "For example:",
    }
}
