//! The named places of site and backend at which the test of kills lets them die, and how often they did.
//! Spec protocol.md 7.3; jobs.md 9.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Places of the site, in the order in which a request passes them.
pub const SITE: [&str; 9] = [
    "site.request.before",
    "site.request.after",
    "site.directives.answer",
    "site.delivered.before",
    "site.delivered.after",
    "site.facts.before",
    "site.facts.after",
    "site.cancel.before",
    "site.cancel.after",
];

/// Places of the backend: its line, what becomes of an order, an attempt (spec jobs.md 9), facts.
pub const BACKEND: [&str; 31] = [
    "ledger.after",
    "inbox.before",
    "inbox.after",
    "directive.before",
    "order.noted",
    "order.before",
    "plan.before",
    "plan.after",
    "order.after",
    "order.answered",
    "directive.applied",
    "directive.after",
    "claim.before",
    "claim.after",
    "prepare.before",
    "prepare.after",
    "launch.before",
    "launch.after",
    "exit.after",
    "collect.before",
    "collect.inside",
    "collect.after",
    "result.before",
    "result.after",
    "publish.before",
    "publish.after",
    "clean.after",
    "tell.before",
    "tell.after",
    "tell.delivered",
    "facts.answered",
];

/// Places that are passed many times for each request: a kill is not always at the first of them.
pub const OFTEN: [&str; 7] = [
    "ledger.after",
    "tell.before",
    "tell.after",
    "tell.delivered",
    "facts.answered",
    "site.facts.before",
    "site.facts.after",
];

/// A kill at no place in particular.
pub const SITE_AT_ANY: &str = "site: a random instant";
pub const BACKEND_AT_ANY: &str = "backend: a random instant";

/// How often what died where.
#[derive(Default)]
pub struct Tally(BTreeMap<String, usize>);

impl Tally {
    /// One more; of a place that is passed often, whichever pass it was.
    pub fn note(&mut self, place: &str) {
        let place =
            place.split_once(':').filter(|(_, nth)| nth.parse::<u32>().is_ok()).map_or(place, |(place, _)| place);
        *self.0.entry(place.to_owned()).or_default() += 1;
    }

    pub fn of(&self, place: &str) -> usize {
        self.0.get(place).copied().unwrap_or(0)
    }

    /// All deaths.
    pub fn all(&self) -> usize {
        self.0.values().sum()
    }

    /// The place of a list at which there were fewest deaths; `turn` chooses among equals.
    pub fn least<'a>(&self, places: &[&'a str], turn: usize) -> &'a str {
        let fewest = places.iter().map(|place| self.of(place)).min().unwrap_or(0);
        let equals: Vec<_> = places.iter().filter(|place| self.of(place) == fewest).collect();
        equals[turn % equals.len()]
    }

    pub fn print(&self) {
        for place in [SITE_AT_ANY, BACKEND_AT_ANY].iter().chain(&SITE).chain(&BACKEND) {
            println!("{:>5}  {place}", self.of(place));
        }
    }
}

fn named(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            named(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let places = text.split("point(\"").skip(1);
            found.extend(places.map(|rest| rest.split('"').next().unwrap().to_owned()));
        }
    }
}

/// A new place needs a line above.
#[test]
fn every_named_place_is_in_the_lists() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = BTreeSet::new();
    for folder in ["site/src", "backend/src", "jobs/src/engine", "jobs/src/server"] {
        named(&crates.join(folder), &mut found);
    }
    let listed: BTreeSet<String> = SITE.iter().chain(&BACKEND).map(ToString::to_string).collect();
    assert_eq!(found, listed);
    assert!(OFTEN.iter().all(|place| listed.contains(*place)));
}
