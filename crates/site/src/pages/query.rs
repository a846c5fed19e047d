//! What the event log was asked for: filters out of an address, and addresses out of filters.
//! Spec site.md 6.1: unknown keys are ignored and said, a bad value keeps the form.

use ui::form::Fault;
use ui::list::Chip;

use crate::store::read::Filter;

/// Keys with one value each, in the order in which chips show them.
const KEYS: [&str; 11] =
    ["q", "status", "backend", "org", "project", "workspace", "user", "action", "code", "from", "to"];
/// Statuses of requests, as they are stored.
pub(crate) const STATUSES: [&str; 6] = ["pending", "running", "succeeded", "failed", "nothing_to_do", "unknown"];
/// The longest value; the longest action names fit.
const LONGEST: usize = 300;
const DAY: i64 = 86_400 * 1_000_000;

/// A query, understood or not.
#[derive(Debug, Default)]
pub(crate) struct Query {
    /// Known keys with their values, as given.
    pub(crate) given: Vec<(&'static str, String)>,
    /// Keys that mean nothing here.
    pub(crate) unknown: Vec<String>,
    /// What is wrong with values.
    pub(crate) faults: Vec<Fault>,
    /// What is wanted, as far as it was understood.
    pub(crate) filter: Filter,
}

impl Query {
    /// Reads the part of an address behind `?`.
    pub(crate) fn read(text: &str) -> Self {
        let mut query = Self::default();
        for (key, value) in form_urlencoded::parse(text.as_bytes()) {
            let value = value.trim();
            match KEYS.into_iter().find(|known| *known == key) {
                Some(_) if value.is_empty() => {}
                Some(key) if value.chars().count() > LONGEST => query.fault(key, "This is too long."),
                Some(key) if query.given.iter().any(|(given, _)| *given == key) => {
                    query.fault(key, "This is given twice.");
                }
                Some(key) => {
                    query.given.push((key, value.to_owned()));
                    query.take(key, value);
                }
                None if key == "after" => match crate::pages::shell::number(value) {
                    Ok(number) => query.filter.after = Some(number),
                    Err(_) => query.fault("q", "The page in this address does not exist; here is the first one."),
                },
                None => query.unknown.push(key.chars().take(40).collect()),
            }
        }
        query
    }

    fn fault(&mut self, key: &str, message: &str) {
        self.faults.push(Fault { field: Some(key.to_owned()), message: message.to_owned() });
    }

    fn take(&mut self, key: &str, value: &str) {
        let text = Some(value.to_owned());
        match key {
            "q" => self.filter.q = text,
            "status" if STATUSES.contains(&value) => self.filter.status = text,
            "status" => self.fault("status", &format!("There is no status “{value}”.")),
            "backend" => self.filter.backend = text,
            "org" => self.filter.org = text,
            "project" => self.filter.project = text,
            "workspace" => self.filter.workspace = text,
            "user" => self.filter.user = text,
            "action" => self.filter.action = text,
            "code" => self.filter.code = text,
            "from" | "to" => match day(value) {
                Some(start) if key == "from" => self.filter.from = Some(start),
                Some(start) => self.filter.before = Some(start.saturating_add(DAY)),
                None => self.fault(key, &format!("“{value}” is no date; write it as 2027-03-04.")),
            },
            _ => {}
        }
    }

    /// Fixes a filter, as the page does that it belongs to: it cannot be given another value.
    pub(crate) fn fix(&mut self, key: &str, value: &str) {
        self.given.retain(|(given, _)| *given != key);
        let value = Some(value.to_owned());
        match key {
            "org" => self.filter.org = value,
            "project" => self.filter.project = value,
            "workspace" => self.filter.workspace = value,
            _ => self.filter.user = value,
        }
    }

    /// The value of a key, as given.
    pub(crate) fn value(&self, key: &str) -> &str {
        self.given.iter().find(|(given, _)| *given == key).map_or("", |(_, value)| value)
    }

    /// The address of the same query without one key, or with a page.
    pub(crate) fn address(&self, path: &str, without: Option<&str>, after: Option<i64>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (key, value) in self.given.iter().filter(|(key, _)| Some(*key) != without) {
            query.append_pair(key, value);
        }
        if let Some(after) = after {
            query.append_pair("after", &after.to_string());
        }
        match query.finish().as_str() {
            "" => path.to_owned(),
            query => format!("{path}?{query}"),
        }
    }

    /// The filters in force; `fixed` ones belong to the page and cannot be taken away.
    pub(crate) fn chips(&self, path: &str, fixed: Option<&str>) -> Vec<Chip> {
        let chip = |(key, value): &(&'static str, String)| Chip {
            text: format!("{}: {value}", if *key == "q" { "search" } else { key }),
            without: self.address(path, Some(key), None),
        };
        self.given.iter().filter(|(key, _)| Some(*key) != fixed).map(chip).collect()
    }
}

/// The first moment of a day, UTC.
fn day(text: &str) -> Option<i64> {
    let date: jiff::civil::Date = text.parse().ok()?;
    let start = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    // Dates with a time behind them are no dates.
    (text.len() == 10).then(|| start.timestamp().as_microsecond())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_are_taken_and_others_said() {
        let query =
            Query::read("q=pincer+%3Cb%3E&status=failed&from=2027-03-04&to=2027-03-04&colour=red&after=812&user=");
        assert!(query.faults.is_empty());
        assert_eq!(query.filter.q.as_deref(), Some("pincer <b>"));
        assert_eq!(query.filter.after, Some(812));
        // 4 March 2027 is 20,881 days after the epoch, and the day itself is included.
        assert_eq!((query.filter.from, query.filter.before), (Some(20_881 * DAY), Some(20_882 * DAY)));
        assert_eq!(query.unknown, ["colour"]);
        assert_eq!(
            query.address("/event-log/", Some("q"), None),
            "/event-log/?status=failed&from=2027-03-04&to=2027-03-04"
        );
        assert_eq!(query.chips("/", Some("status")).len(), 3);
    }

    #[test]
    fn bad_values_are_faults() {
        for bad in [
            "status=blue",
            "from=yesterday",
            "to=2027-02-30",
            "from=2027-03-04T01:00",
            "after=0",
            "after=-1",
            "after=01",
            "after=99999999999999999999",
            "q=a&q=b",
        ] {
            assert_eq!(Query::read(bad).faults.len(), 1, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_query_that_can_be_written_again(text in any::<String>()) {
            let query = Query::read(&text);
            let again = Query::read(query.address("", None, None).trim_start_matches('?'));
            if query.faults.is_empty() {
                prop_assert_eq!(query.given, again.given);
            }
        }
    }
}
