//! How often somebody may ask: buckets in memory that fill up again, for each address prefix, person and token.
//! Spec site.md 11.5, 16.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A rate and how much may come at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// For each second.
    pub per_second: f64,
    /// At once.
    pub burst: f64,
}

/// Rates of a site (spec site.md 16), settable.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// Pages for one address.
    pub pages: Rate,
    /// Searches and tables of one address.
    pub searches: Rate,
    /// Calls with one token.
    pub tokens: Rate,
    /// Tries to sign in from one address in 15 minutes.
    pub sign_in_tries: u32,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            pages: Rate { per_second: 20.0, burst: 100.0 },
            searches: Rate { per_second: 2.0, burst: 10.0 },
            tokens: Rate { per_second: 10.0, burst: 100.0 },
            sign_in_tries: 30,
        }
    }
}

impl Rate {
    /// So many in a time, all of them at once if need be.
    pub fn over(count: u32, time: Duration) -> Self {
        Self { per_second: f64::from(count) / time.as_secs_f64(), burst: f64::from(count) }
    }
}

/// Keys kept at most; when there are more, those that are full again are forgotten, and then all.
const MOST_KEYS: usize = 100_000;

/// Buckets by key.
#[derive(Debug)]
pub struct Buckets<K> {
    rate: Rate,
    left: Mutex<HashMap<K, (f64, Instant)>>,
}

impl<K: Hash + Eq> Buckets<K> {
    /// Full ones.
    pub fn new(rate: Rate) -> Self {
        Self { rate, left: Mutex::default() }
    }

    /// Takes one.
    ///
    /// # Errors
    /// None is left: in how many seconds there is one.
    pub fn take(&self, key: K, now: Instant) -> Result<(), u64> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if left.len() >= MOST_KEYS && !left.contains_key(&key) {
            let rate = self.rate;
            left.retain(|_, bucket| filled(rate, *bucket, now) < rate.burst);
            if left.len() >= MOST_KEYS {
                left.clear();
            }
        }
        let bucket = left.entry(key).or_insert((self.rate.burst, now));
        let level = filled(self.rate, *bucket, now);
        if level >= 1.0 {
            *bucket = (level - 1.0, now);
            return Ok(());
        }
        *bucket = (level, now);
        Err(seconds((1.0 - level) / self.rate.per_second))
    }
}

fn filled(rate: Rate, (level, at): (f64, Instant), now: Instant) -> f64 {
    (level + now.saturating_duration_since(at).as_secs_f64() * rate.per_second).min(rate.burst)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a wait is between 1 s and an hour")]
fn seconds(wait: f64) -> u64 {
    wait.ceil().clamp(1.0, 3_600.0) as u64
}

/// Where a request comes from, as coarse as it is kept: the address, of IPv6 the first 56 bits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Prefix(String);

impl Prefix {
    /// Of an address.
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(four) => four.to_string(),
            IpAddr::V6(six) => {
                let mut octets = six.octets();
                octets[7..].fill(0);
                format!("{}/56", std::net::Ipv6Addr::from(octets))
            }
        })
    }

    /// Of a request that came by no network: the demo's own backends.
    pub fn inside() -> Self {
        Self("inside".to_owned())
    }

    /// As it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<S: Sync> axum::extract::FromRequestParts<S> for Prefix {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut axum::http::request::Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_else(Self::inside))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_the_rate() {
        let buckets = Buckets::new(Rate { per_second: 2.0, burst: 3.0 });
        let start = Instant::now();
        for _ in 0..3 {
            assert_eq!(buckets.take("a", start), Ok(()));
        }
        assert_eq!(buckets.take("a", start), Err(1));
        assert_eq!(buckets.take("b", start), Ok(()));
        let later = start + Duration::from_millis(500);
        assert_eq!(buckets.take("a", later), Ok(()));
        assert_eq!(buckets.take("a", later), Err(1));
        // Never more than the burst, however long nobody asked.
        let much_later = start + Duration::from_secs(3_600);
        assert_eq!((0..9).filter(|_| buckets.take("a", much_later).is_ok()).count(), 3);
    }

    #[test]
    fn prefixes_hide_the_end_of_long_addresses() {
        let prefix = |text: &str| Prefix::of(text.parse().unwrap()).as_str().to_owned();
        assert_eq!(prefix("192.0.2.7"), "192.0.2.7");
        assert_eq!(prefix("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(prefix("2001:db8:1:22ff:9::1"), "2001:db8:1:2200::/56");
    }
}
