//! The names of requests, jobs, attempts and run keys: newtypes, so that none is taken for another.
//! Spec jobs.md 1.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use pipeline::ActionName;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha1::{Digest, Sha1};

/// A text that is not the id it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {what}: {form}")]
pub struct BadId {
    what: &'static str,
    form: &'static str,
    text: String,
}

impl BadId {
    fn new(what: &'static str, form: &'static str, text: &str) -> Self {
        Self { what, form, text: text.chars().take(80).flat_map(char::escape_debug).collect() }
    }
}

/// The id of a job request: 16 characters `[a-z0-9]`; those made here use `[a-z2-7]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId([u8; 16]);

/// The id of a job, one action of one request: 16 characters `[a-z2-7]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId([u8; 16]);

/// One try at running a job, counted from 1. Its text is `{job id}-{NNN}`; text order is time order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId {
    /// The job.
    pub job: JobId,
    /// From 1.
    pub number: u32,
}

/// SHA-256 over everything that decides what a job makes (spec jobs.md 17).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunKey(pub [u8; 32]);

/// Lower-case base32 of RFC 4648; ten bytes are sixteen digits, so that there is never any padding.
fn base32(bytes: [u8; 10]) -> [u8; 16] {
    const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    std::array::from_fn(|i| {
        let bit = i * 5;
        let high = u16::from(bytes[bit / 8]) << 8;
        let low = bytes.get(bit / 8 + 1).map_or(0, |&b| u16::from(b));
        DIGITS[usize::from((high | low) >> (11 - bit % 8) & 31)]
    })
}

fn sixteen(text: &str, allowed: fn(u8) -> bool) -> Option<[u8; 16]> {
    let bytes: [u8; 16] = text.as_bytes().try_into().ok()?;
    bytes.iter().all(|&b| allowed(b)).then_some(bytes)
}

impl RequestId {
    /// The id made of these random bytes.
    pub fn from_random(bytes: [u8; 10]) -> Self {
        Self(base32(bytes))
    }

    /// A new id from the system's random source.
    ///
    /// # Errors
    /// The system has no random bytes to give.
    pub fn generate() -> Result<Self, std::io::Error> {
        let mut bytes = [0; 10];
        getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
        Ok(Self::from_random(bytes))
    }
}

impl JobId {
    /// The id of the job that runs `action` for `request`: planning a request twice gives the same ids.
    pub fn of(request: &RequestId, action: &ActionName) -> Self {
        let digest = Sha1::new_with_prefix(request.0).chain_update(b"\n").chain_update(action.as_str()).finalize();
        Self(base32(std::array::from_fn(|i| digest[i])))
    }

    /// The first attempt of this job, the second one, and so on.
    pub fn attempt(self, number: u32) -> AttemptId {
        AttemptId { job: self, number }
    }
}

impl RunKey {
    /// 64 lower-case hexadecimal digits.
    pub fn hex(&self) -> String {
        HEXLOWER.encode(&self.0)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|&b| fmt::Write::write_char(f, char::from(b)))
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|&b| fmt::Write::write_char(f, char::from(b)))
    }
}

impl fmt::Display for AttemptId {
    /// Three digits up to 999; beyond, a letter says how many digits more there are (`999`, `a1000`, `b10000`), and a
    /// letter sorts after every digit.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:03}", self.number);
        match u8::try_from(digits.len() - 3) {
            Ok(more @ 1..) => write!(f, "{}-{}{digits}", self.job, char::from(b'a' + more - 1)),
            _ => write!(f, "{}-{digits}", self.job),
        }
    }
}

impl fmt::Display for RunKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

impl FromStr for RequestId {
    type Err = BadId;
    fn from_str(text: &str) -> Result<Self, BadId> {
        sixteen(text, |b| b.is_ascii_lowercase() || b.is_ascii_digit())
            .map(Self)
            .ok_or_else(|| BadId::new("request id", "16 characters, each a-z or 0-9", text))
    }
}

impl FromStr for JobId {
    type Err = BadId;
    fn from_str(text: &str) -> Result<Self, BadId> {
        sixteen(text, |b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b))
            .map(Self)
            .ok_or_else(|| BadId::new("job id", "16 characters, each a-z or 2-7", text))
    }
}

impl FromStr for AttemptId {
    type Err = BadId;
    fn from_str(text: &str) -> Result<Self, BadId> {
        let bad = || BadId::new("attempt id", "a job id, `-` and at least three digits", text);
        let (job, number) = text.split_once('-').ok_or_else(bad)?;
        let digits = number.trim_start_matches(|c: char| c.is_ascii_lowercase());
        let number = digits.parse().map_err(|_| bad())?;
        let id = Self { job: job.parse().map_err(|_| bad())?, number };
        // Only the one spelling of each number: `+01`, `0001` or a wrong letter are refused.
        if number > 0 && id.to_string() == text { Ok(id) } else { Err(bad()) }
    }
}

impl FromStr for RunKey {
    type Err = BadId;
    fn from_str(text: &str) -> Result<Self, BadId> {
        let bad = || BadId::new("run key", "64 lower-case hexadecimal digits", text);
        HEXLOWER.decode(text.as_bytes()).ok().and_then(|b| b.try_into().ok()).map(Self).ok_or_else(bad)
    }
}

macro_rules! as_text {
    ($($name:ident)*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}
as_text!(RequestId JobId AttemptId RunKey);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn job_ids_of_the_spec() {
        for (request, action, job) in [
            ("5i42i3xk2j47qlg6", "render_report", "54fy7iwzg25g3bvp"),
            ("rvvj5jxpbiteq2d5", "generate_dataset_report_test", "vr766iowztlp3x3w"),
        ] {
            assert_eq!(JobId::of(&request.parse().unwrap(), &ActionName::new(action)).to_string(), job);
        }
    }

    #[test]
    fn forms() {
        assert!("dxccxg6de7vcfiis".parse::<RequestId>().is_ok());
        assert!("0123456789abcdef".parse::<RequestId>().is_ok());
        for bad in
            ["", "dxccxg6de7vcfii", "dxccxg6de7vcfiis2", "Dxccxg6de7vcfiis", "dxccxg6de7vcfi-s", "dxccxg6de7vcfié"]
        {
            assert!(bad.parse::<RequestId>().is_err(), "{bad}");
        }
        assert!("0123456789abcdef".parse::<JobId>().is_err());
        for bad in ["54fy7iwzg25g3bvp", "54fy7iwzg25g3bvp-1", "54fy7iwzg25g3bvp-000", "54fy7iwzg25g3bvp-0001", "x-001"]
        {
            assert!(bad.parse::<AttemptId>().is_err(), "{bad}");
        }
        let message = "\u{1b}[2J".parse::<JobId>().unwrap_err().to_string();
        assert!(!message.contains('\u{1b}'), "{message}");
    }

    proptest! {
        #[test]
        fn base32_is_that_of_the_library(bytes: [u8; 10]) {
            let text = data_encoding::BASE32_NOPAD.encode(&bytes).to_lowercase();
            prop_assert_eq!(RequestId::from_random(bytes).to_string(), text);
        }

        #[test]
        fn text_order_of_attempts_is_time_order(a in 1u32.., b in 1u32.., bytes: [u8; 10], digits in 0u32..10) {
            let job = JobId(base32(bytes));
            let small = 10u32.saturating_pow(digits);
            for (a, b) in [(a, b), (a % small + 1, b % small + 1)] {
                let (one, two) = (job.attempt(a), job.attempt(b));
                prop_assert_eq!(one.to_string().cmp(&two.to_string()), a.cmp(&b));
                prop_assert_eq!(one.to_string().parse::<AttemptId>().unwrap(), one);
            }
        }
    }
}
