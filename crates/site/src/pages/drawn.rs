//! The parts of a page that can change, as they were drawn at one moment, and what differs between two moments.
//! Spec site.md 14: every part has a stable id and is drawn by one function, for the page and for its stream alike.

use ui::html::Html;

/// The parts of one page that can change, as they are now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drawn {
    /// Parts with their ids.
    pub parts: Vec<(&'static str, Html)>,
    /// Rows with their ids.
    pub rows: Vec<(String, Html)>,
    /// The part that holds the rows.
    pub holder: &'static str,
    /// Whether nothing will change any more.
    pub is_final: bool,
}

impl Drawn {
    /// One part; nothing if there is no such part.
    pub fn part(&self, id: &str) -> Html {
        self.parts.iter().find(|(name, _)| *name == id).map(|(_, html)| html.clone()).unwrap_or_default()
    }
}

/// A part without its rows: what is before, between and behind them.
fn but_rows<'a>(part: &'a Html, rows: &[(String, Html)]) -> Vec<&'a str> {
    let mut rest = part.as_str();
    let mut pieces: Vec<&str> = Vec::with_capacity(rows.len() + 1);
    for (_, row) in rows {
        if let Some((before, behind)) = rest.split_once(row.as_str()) {
            pieces.push(before);
            rest = behind;
        }
    }
    pieces.push(rest);
    pieces
}

/// What to send to a page that shows `before`: (id, html) of each part that differs. A row is sent alone as long as
/// the rows are the same ones in the same order, and nothing around them differs.
pub fn changes<'a>(before: &Drawn, after: &'a Drawn) -> Vec<(&'a str, &'a Html)> {
    let ids = |drawn: &'a Drawn| drawn.rows.iter().map(|(id, _)| id.as_str());
    let same_rows =
        before.rows.len() == after.rows.len() && before.rows.iter().map(|(id, _)| id.as_str()).eq(ids(after));
    let mut changed = Vec::new();
    for (place, (id, html)) in after.parts.iter().enumerate() {
        let old = before.parts.get(place).map(|(_, html)| html);
        if Some(html) == old {
            continue;
        }
        let same_around = || old.is_some_and(|old| but_rows(old, &before.rows) == but_rows(html, &after.rows));
        if *id == after.holder && same_rows && same_around() {
            for ((row, html), (_, old)) in after.rows.iter().zip(&before.rows) {
                if html != old {
                    changed.push((row.as_str(), html));
                }
            }
        } else {
            changed.push((*id, html));
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(rows: &[(&str, &str)], note: &str) -> Drawn {
        let rows: Vec<(String, Html)> = rows.iter().map(|(id, text)| ((*id).to_owned(), Html::text(text))).collect();
        let mut list = Html::text("<");
        rows.iter().for_each(|(_, row)| list.push(row));
        list.push(&Html::text(note));
        Drawn { parts: vec![("head", Html::text("h")), ("list", list)], rows, holder: "list", is_final: false }
    }

    #[test]
    fn a_row_goes_alone_only_if_nothing_around_it_changed() {
        let before = drawn(&[("a", "one"), ("b", "two")], "2 in all");
        let ids = |after: &Drawn| changes(&before, after).iter().map(|(id, _)| (*id).to_owned()).collect::<Vec<_>>();
        assert!(ids(&before).is_empty());
        assert_eq!(ids(&drawn(&[("a", "one"), ("b", "2")], "2 in all")), ["b"]);
        assert_eq!(ids(&drawn(&[("a", "one"), ("b", "2")], "more")), ["list"]);
        assert_eq!(ids(&drawn(&[("a", "one"), ("b", "two")], "more")), ["list"]);
        assert_eq!(ids(&drawn(&[("b", "two"), ("a", "one")], "2 in all")), ["list"]);
        assert_eq!(ids(&drawn(&[("a", "one")], "1 in all")), ["list"]);
        assert_eq!(changes(&Drawn::default(), &before).len(), 2);
    }
}
