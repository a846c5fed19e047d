//! Prints a page for a terminal: prose broken at the width, examples indented and introduced in words.
//! Colour, width and character set as in the reports.

use super::{Block, ExampleKind, Page};
use crate::report::{HumanOptions, Style, paint, severity_word, visible, wrap};
use crate::{Rule, Severity};

/// The page as text with a final line end.
pub fn print(page: &Page, options: &HumanOptions) -> String {
    let title = format!("{}: {}", page.code, page.title);
    let mut out = paint(options.color, Style::Strong, &title) + "\n";
    if let Some(rule) = page.rule {
        out += &format!("{}\n", standing(rule));
    }
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

/// `warning in versions 1 to 3, error in versions 4 and 5; since 2023-11-06`
fn standing(rule: &Rule) -> String {
    let at: Vec<(u8, Option<Severity>)> = (1..=5).map(|v| (v, rule.severity(f64::from(v)))).collect();
    let mut parts = Vec::new();
    for group in at.chunk_by(|a, b| a.1 == b.1) {
        let (Some((first, Some(severity))), Some((last, _))) = (group.first(), group.last()) else { continue };
        let word = severity_word(*severity);
        parts.push(match (first, last) {
            (1, 5) => word.to_owned(),
            (a, b) if a == b => format!("{word} in version {a}"),
            (a, b) if a + 1 == *b => format!("{word} in versions {a} and {b}"),
            (a, b) => format!("{word} in versions {a} to {b}"),
        });
    }
    let since = rule.since.map_or_else(String::new, |day| format!("; since {day}"));
    format!("{}{since}", parts.join(", "))
}

fn heading(kind: ExampleKind) -> &'static str {
    match kind {
        ExampleKind::Fail | ExampleKind::ResolveFail => "Reported:",
        ExampleKind::Good | ExampleKind::ResolveGood => "Corrected:",
        ExampleKind::Text => "For example:",
    }
}

#[cfg(test)]
mod tests {
    use super::standing;
    use crate::rules;

    #[test]
    fn says_when_a_rule_counts() {
        let of = |code: &str| rules().iter().find(|rule| rule.code.0 == code).map(standing);
        assert_eq!(of("P404").as_deref(), Some("error"));
        assert_eq!(
            of("P513").as_deref(),
            Some("warning in versions 1 to 3, error in versions 4 and 5; since 2023-11-06")
        );
        assert_eq!(of("P120").as_deref(), Some("error in version 3"));
    }
}
