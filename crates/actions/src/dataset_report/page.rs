//! The page: one HTML file without scripts and without anything from outside (actions.md 5.3).
//! Everything that comes from a study is escaped; tables are those that a table reader finds in the original's page.

use std::io::{self, Write};

use super::report::{Body, CountRow, Deciles, Report, Section};
use super::rounding::of_rounded_rows;
use super::survey::Label;
use crate::text::about;

const STYLE: &str = include_str!("style.css");
/// SHA-256 of [`STYLE`]: nothing else may style the page.
const STYLE_HASH: &str = "kjrWQcWFRckF3sXwAIlVMO6wp6Wh9Xq6i3S7PJjZYV8=";

/// Text inside an element or a quoted attribute. What HTML does not allow becomes a mark.
struct Text<'a>(&'a str);

impl std::fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use std::fmt::Write as _;
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                '\n' | '\t' => f.write_char(c)?,
                c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => f.write_char('\u{fffd}')?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// Writes the page of a file; `path` is its name as the pattern found it.
pub(super) fn write(report: &Report, path: &str, out: &mut dyn Write) -> io::Result<()> {
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; \
         base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Dataset Report</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>Dataset Report</h1>\n<p><em>{}</em></p>\n",
        Text(path)
    )?;
    writeln!(out, "<p class=\"rules\">{}</p>", rules(report))?;
    writeln!(out, "<h2>Summary</h2>")?;
    head(out, "Column Name", &["Size (MB)", "Data Type", "Empty"], "Columns of the file, in its order")?;
    for line in &report.columns {
        let empty = if line.empty { "True" } else { "False" };
        row(out, &Text(&line.name).to_string(), &[&line.size, &line.kind, empty])?;
    }
    end(out)?;
    writeln!(out, "<h2>Columns</h2>\n<p>Only columns which can be summarised are shown.</p>")?;
    report.sections.iter().try_for_each(|section| write_section(section, report, out))?;
    writeln!(out, "</main>\n</body>\n</html>")
}

/// What has been done to the numbers, for readers.
fn rules(report: &Report) -> String {
    let hidden = report.manner.hidden();
    let mut text = format!(
        "Counts are rounded to the nearest 5. Counts of 7 or fewer are hidden and shown as {hidden}; percentages are of \
         the counts that are shown. The row NaN counts missing values. "
    );
    text += &match report.rows {
        None => "Sizes are exact, which is possible on dummy data only.".to_owned(),
        Some(0) => format!("Sizes are rounded: the file has {} rows or fewer.", of_rounded_rows(0).high),
        Some(rows) => format!("Sizes are those of {} rows.", about(rows)),
    };
    if report.guarded {
        text += " Extra counts are hidden too, so that the small ones cannot be worked out.";
    }
    text
}

fn write_section(section: &Section, report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let name = Text(&section.name);
    writeln!(out, "<section>\n<h3>{name}</h3>")?;
    match &section.body {
        Body::Counts { rows, distinct } => {
            if let Some(distinct) = distinct {
                writeln!(out, "<p>Different values: {distinct}.</p>")?;
            }
            if !rows.is_empty() {
                head(
                    out,
                    "Column Value",
                    &["Count", "Percentage"],
                    &format!("Rows of the file by the value of {name}"),
                )?;
                for CountRow { label, count, percentage } in rows {
                    row(out, &heading(label), &[count, percentage])?;
                }
                end(out)?;
            }
        }
        Body::Numbers { missing, deciles } => {
            if let Some(missing) = missing {
                writeln!(out, "<p>Missing: {missing}.</p>")?;
            }
            match deciles {
                Deciles::Shown(deciles) => {
                    let caption = format!("Deciles of {name}, to three digits");
                    head(out, "Percentile", &["Value"], &caption)?;
                    for (tenth, decile) in deciles.iter().enumerate() {
                        row(out, &((tenth + 1) * 10).to_string(), &[decile])?;
                    }
                    end(out)?;
                }
                Deciles::TooFew => writeln!(out, "<p>Fewer than 100 numbers: no deciles.</p>")?,
                Deciles::TooMany => writeln!(out, "<p>Too many different numbers: no deciles.</p>")?,
                Deciles::Hidden => writeln!(out, "<p>Deciles: {}.</p>", report.manner.hidden())?,
            }
        }
    }
    writeln!(out, "</section>")
}

/// A label; words that are not the file's own are told from its values.
fn heading(label: &Label) -> String {
    match label {
        Label::Other => format!("<i>{}</i>", label.text()),
        _ => Text(label.text()).to_string(),
    }
}

/// Begins a table: two rows of headings, the second of which names the labels.
fn head(out: &mut dyn Write, index: &str, columns: &[&str], caption: &str) -> io::Result<()> {
    write!(out, "<table border=\"1\" class=\"dataframe\">\n<caption>{caption}</caption>\n<thead>\n<tr><td></td>")?;
    for column in columns {
        write!(out, "<th scope=\"col\">{column}</th>")?;
    }
    write!(out, "</tr>\n<tr><th scope=\"col\">{index}</th>")?;
    for _ in columns {
        write!(out, "<td></td>")?;
    }
    writeln!(out, "</tr>\n</thead>\n<tbody>")
}

/// `label` is HTML already; cells are our own words and numbers, but types may name a time zone of the file.
fn row(out: &mut dyn Write, label: &str, cells: &[&str]) -> io::Result<()> {
    write!(out, "<tr><th scope=\"row\">{label}</th>")?;
    for cell in cells {
        write!(out, "<td>{}</td>", Text(cell))?;
    }
    writeln!(out, "</tr>")
}

fn end(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "</tbody>\n</table>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::Digest as _;

    #[test]
    fn the_page_allows_its_own_style_and_nothing_else() {
        let digest = sha2::Sha256::digest(STYLE.as_bytes());
        assert_eq!(STYLE_HASH, data_encoding::BASE64.encode(&digest));
        assert!(!STYLE.contains("url(") && !STYLE.contains('<'));
    }

    #[test]
    fn text_is_escaped_and_cannot_end_an_element() {
        assert_eq!(Text("<script>&\"'\u{7}\r\n").to_string(), "&lt;script&gt;&amp;&quot;&#39;\u{fffd}\u{fffd}\n");
    }

    /// Relative luminance by WCAG 2.
    fn luminance(colour: &str) -> f64 {
        let full: String =
            if colour.len() == 4 { colour[1..].chars().flat_map(|c| [c, c]).collect() } else { colour[1..].to_owned() };
        let part = |at: usize| {
            let value = f64::from(u8::from_str_radix(&full[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.03928 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(0) + 0.7152 * part(2) + 0.0722 * part(4)
    }

    #[test]
    fn every_text_is_readable_on_every_ground() {
        let colours = |key: &str| -> Vec<String> {
            let found = STYLE.match_indices(key).map(|(at, _)| &STYLE[at + key.len()..]);
            found.map(|rest| rest.split([';', '}']).next().unwrap().to_owned()).collect()
        };
        let (texts, grounds) = (colours(";color:"), colours("background:"));
        assert!(texts.len() >= 2 && grounds.len() >= 2);
        for text in &texts {
            for ground in &grounds {
                let (light, dark) = (luminance(ground), luminance(text));
                assert!((light + 0.05) / (dark + 0.05) >= 4.5, "{text} on {ground}");
            }
        }
    }
}
