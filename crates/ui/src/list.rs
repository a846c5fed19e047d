//! What stands around lists: how many there are, the way to the next page, the filters in force, nothing to show.
//! Spec site.md 3 (25 rows, keyset, stated total up to 10,000) and 6.1 (removable chips).

use askama::Template;

use crate::html::{Html, push_text};

/// Totals above this are told as "10,000+".
pub const COUNTED_TO: u64 = 10_000;

/// How many rows a list has in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    /// So many.
    Exactly(u64),
    /// More than are counted.
    More,
}

impl Total {
    /// From a count that stopped behind [`COUNTED_TO`].
    pub fn of(counted: u64) -> Self {
        if counted > COUNTED_TO { Self::More } else { Self::Exactly(counted) }
    }

    /// `1 job request`, `2,340 job requests`, `10,000+ job requests`.
    pub fn words(self, one: &str, many: &str) -> String {
        match self {
            Self::Exactly(1) => format!("1 {one}"),
            Self::Exactly(count) => format!("{} {many}", grouped(count)),
            Self::More => format!("{}+ {many}", grouped(COUNTED_TO)),
        }
    }
}

/// A number with commas between thousands.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A part of a whole as a percentage with one decimal, dropped when it is whole; `0%` of nothing.
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "0%".into();
    }
    // Rounded half up, in thousandths.
    let tenths = (u128::from(part) * 2_000 + u128::from(whole)) / (u128::from(whole) * 2);
    if tenths % 10 == 0 { format!("{}%", tenths / 10) } else { format!("{}.{}%", tenths / 10, tenths % 10) }
}

/// The line under a list.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "pager.html")]
pub struct Pager {
    /// How many rows there are, in words.
    pub total: String,
    /// Address of the first page, if this is another.
    pub first: Option<String>,
    /// Address of the next page, if there is one.
    pub next: Option<String>,
}

impl Pager {
    /// The element.
    pub fn shown(&self) -> Html {
        Html::of(self)
    }
}

/// A filter in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chip {
    /// Which, such as `status: failed`.
    pub text: String,
    /// The same list without it.
    pub without: String,
}

/// The filters in force, each with a link that takes it away; nothing without filters.
pub fn chips(chips: &[Chip]) -> Html {
    if chips.is_empty() {
        return Html::default();
    }
    let mut html = String::from("<ul class=chips aria-label=\"Filters in force\">");
    for chip in chips {
        html.push_str("<li><a href=\"");
        push_text(&mut html, &chip.without);
        html.push_str("\"><span class=hide>Remove filter </span>");
        push_text(&mut html, &chip.text);
        html.push_str(" <span aria-hidden=true>×</span></a></li>");
    }
    html.push_str("</ul>");
    Html::trusted(html)
}

/// What stands where a list would, if it has no rows.
pub fn empty(words: &str) -> Html {
    let mut html = String::from("<div class=empty><p>");
    push_text(&mut html, words);
    html.push_str("</p></div>");
    Html::trusted(html)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(Total::of(1).words("job", "jobs"), "1 job");
        assert_eq!(Total::of(10_000).words("job", "jobs"), "10,000 jobs");
        assert_eq!(Total::of(10_001).words("job", "jobs"), "10,000+ jobs");
        // 6 of 13 is 46.15 %; 1 of 3 is 33.33 %; 1 of 2,000 is 0.05 % and rounds up.
        for (part, whole, text) in
            [(6, 13, "46.2%"), (0, 9, "0%"), (9, 9, "100%"), (1, 3, "33.3%"), (0, 0, "0%"), (1, 2_000, "0.1%")]
        {
            assert_eq!(percent(part, whole), text);
        }
    }

    #[test]
    fn a_list_says_where_it_goes_on() {
        let pager =
            Pager { total: "2,340 requests".into(), first: Some("?".into()), next: Some("?after=x&q=a b".into()) };
        insta::assert_snapshot!(pager.shown().as_str());
        insta::assert_snapshot!(
            chips(&[Chip { text: "action: <b>".into(), without: "?status=failed".into() }]).as_str()
        );
        assert!(chips(&[]).is_empty());
    }
}
