//! What the gate remembers between requests, all of it in memory: who asks how often, and who guesses.
//! Spec site.md 11.5, 16.

use std::time::{Duration, Instant};

use super::Refusal;
use super::rate::{Buckets, Prefix, Rate, Rates};

const QUARTER: Duration = Duration::from_secs(15 * 60);

/// The gate's memory.
#[derive(Debug)]
pub struct Gate {
    pages: Buckets<Prefix>,
    people: Buckets<i64>,
    searches: Buckets<Prefix>,
    tokens: Buckets<i64>,
    pub(crate) sign_in: Buckets<Prefix>,
    /// Wrong passwords of each account.
    pub(crate) wrong: crate::people::password::Wrong,
}

impl Gate {
    /// One that remembers nothing yet.
    pub fn new(rates: Rates) -> Self {
        Self {
            pages: Buckets::new(rates.pages),
            people: Buckets::new(rates.pages),
            searches: Buckets::new(rates.searches),
            tokens: Buckets::new(rates.tokens),
            sign_in: Buckets::new(Rate::over(rates.sign_in_tries, QUARTER)),
            wrong: crate::people::password::Wrong::default(),
        }
    }

    pub(super) fn anonymous(&self, prefix: &Prefix) -> Result<(), Refusal> {
        self.pages.take(prefix.clone(), Instant::now()).map_err(Refusal::TooMany)
    }

    pub(super) fn person(&self, account: i64) -> Result<(), Refusal> {
        self.people.take(account, Instant::now()).map_err(Refusal::TooMany)
    }

    pub(super) fn token(&self, token: i64) -> Result<(), Refusal> {
        self.tokens.take(token, Instant::now()).map_err(Refusal::TooMany)
    }

    pub(super) fn search(&self, prefix: &Prefix) -> Result<(), Refusal> {
        self.searches.take(prefix.clone(), Instant::now()).map_err(Refusal::TooMany)
    }
}
