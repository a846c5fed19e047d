//! Passwords: which ones are taken, how they are kept, and how long somebody who guesses waits.
//! Spec site.md 11.1, 16.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::access::secret;

/// Memory of one hash, in KiB: 19 MiB.
const MEMORY: u32 = 19 * 1024;
/// Passes over it.
const PASSES: u32 = 2;
/// Hashes computed at once: more would let a flood of tries take the machine's memory.
static TURNS: Semaphore = Semaphore::const_new(2);

/// Passwords that are tried first by whoever guesses, in small letters; a list in a file, one a line.
static COMMON: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| include_str!("common-passwords.txt").lines().filter(|line| !line.starts_with('#')).collect());

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPassword {
    /// Fewer than 12 or more than 256 characters.
    #[error("a password has 12 to 256 characters; four or more words that have nothing to do with each other are good")]
    Length,
    /// One of those that are tried first.
    #[error("this password is one of those that are guessed first; take another, such as four unrelated words")]
    Common,
}

/// Why a password cannot be kept or compared now.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the password cannot be hashed: {0}")]
pub struct Unhashed(String);

/// Whether a password may be chosen by the account of this name.
///
/// # Errors
/// [`BadPassword`] says why not.
pub fn check(password: &str, username: &str) -> Result<(), BadPassword> {
    if !(12..=256).contains(&password.chars().count()) {
        return Err(BadPassword::Length);
    }
    let folded = password.to_lowercase();
    // What people put behind a common word to make it long enough does not make it rare.
    let stem = folded.trim_matches(|c: char| c.is_ascii_digit() || c.is_ascii_punctuation() || c.is_whitespace());
    let name = username.to_lowercase();
    let one_piece_again = (1..=6).any(|size| again(&folded, size));
    let common = COMMON.iter().any(|word| *word == folded || *word == stem);
    if stem.is_empty() || stem == name || common || one_piece_again || run(&folded) {
        return Err(BadPassword::Common);
    }
    Ok(())
}

/// Whether a text is its first `size` characters over and over.
fn again(text: &str, size: usize) -> bool {
    let all: Vec<char> = text.chars().collect();
    all.iter().enumerate().all(|(at, c)| *c == all[at % size])
}

/// Whether each character is the one behind the one before it: `abcdefghijkl`.
fn run(text: &str) -> bool {
    let codes: Vec<u32> = text.chars().map(u32::from).collect();
    codes.windows(2).all(|two| two[1] == two[0].wrapping_add(1))
        || codes.windows(2).all(|two| two[0] == two[1].wrapping_add(1))
}

fn engine() -> Result<Argon2<'static>, Unhashed> {
    let params = Params::new(MEMORY, PASSES, 1, None).map_err(|error| Unhashed(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The text under which a password is kept.
///
/// # Errors
/// The system gives no random numbers or no memory.
pub async fn keep(password: String) -> Result<String, Unhashed> {
    apart(move || {
        let salt = secret::random::<16>().map_err(|error| Unhashed(error.to_string()))?;
        let hash = engine()?.hash_password_with_salt(password.as_bytes(), &salt);
        hash.map(|hash| hash.to_string()).map_err(|error| Unhashed(error.to_string()))
    })
    .await
}

/// Whether a password is the kept one. With nothing kept the same work is done, so that nobody can tell by the time.
///
/// # Errors
/// The system gives no memory.
pub async fn is(password: String, kept: Option<String>) -> Result<bool, Unhashed> {
    /// Nobody's: of random bytes that were thrown away.
    static NOBODY: LazyLock<Option<String>> = LazyLock::new(|| {
        let (secret, salt) = (secret::random::<32>().ok()?, secret::random::<16>().ok()?);
        Some(engine().ok()?.hash_password_with_salt(&secret, &salt).ok()?.to_string())
    });
    apart(move || {
        let known = kept.is_some();
        let kept = kept.or_else(|| NOBODY.clone()).ok_or_else(|| Unhashed("no random numbers".to_owned()))?;
        let kept = PasswordHash::new(&kept).map_err(|error| Unhashed(error.to_string()))?;
        Ok(engine()?.verify_password(password.as_bytes(), &kept).is_ok() && known)
    })
    .await
}

async fn apart<T: Send + 'static>(work: impl FnOnce() -> Result<T, Unhashed> + Send + 'static) -> Result<T, Unhashed> {
    let _turn = TURNS.acquire().await.map_err(|error| Unhashed(error.to_string()))?;
    tokio::task::spawn_blocking(work).await.map_err(|error| Unhashed(error.to_string()))?
}

/// Wrong tries that cost nothing.
const FREE: u32 = 5;
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// Wrong tries are forgotten after this time without one.
const FORGOTTEN: Duration = Duration::from_secs(24 * 3_600);
const MOST_NAMES: usize = 100_000;

/// Wrong passwords by name, of accounts that exist and of names that do not: both wait alike.
#[derive(Debug, Default)]
pub struct Wrong(Mutex<HashMap<String, (u32, Instant)>>);

impl Wrong {
    /// Whether a name may be tried now.
    ///
    /// # Errors
    /// How many seconds to wait.
    pub fn may_try(&self, name: &str, now: Instant) -> Result<(), u64> {
        let tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((count, last)) = tries.get(name) else { return Ok(()) };
        let left = wait(*count).saturating_sub(now.saturating_duration_since(*last));
        if left.is_zero() { Ok(()) } else { Err(left.as_secs().max(1)) }
    }

    /// One more wrong try.
    pub fn add(&self, name: &str, now: Instant) {
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tries.len() >= MOST_NAMES && !tries.contains_key(name) {
            // Those who still wait stay; a flood of names cannot end their wait.
            tries.retain(|_, (count, last)| now.saturating_duration_since(*last) < wait(*count));
            if tries.len() >= MOST_NAMES {
                return;
            }
        }
        let entry = tries.entry(name.to_owned()).or_insert((0, now));
        if now.saturating_duration_since(entry.1) >= FORGOTTEN {
            entry.0 = 0;
        }
        *entry = (entry.0.saturating_add(1), now);
    }

    /// The right one.
    pub fn clear(&self, name: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

/// How long to wait after so many wrong tries.
fn wait(count: u32) -> Duration {
    if count < FREE {
        return Duration::ZERO;
    }
    let doubled = 1_u64.checked_shl((count - FREE).min(20)).unwrap_or(u64::MAX);
    Duration::from_secs(doubled).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_common_and_regular_passwords_are_refused() {
        assert_eq!(check("elevenchars", "a"), Err(BadPassword::Length));
        assert_eq!(check(&"é".repeat(257), "a"), Err(BadPassword::Length));
        for common in [
            "password1234!",
            "Password!!!!",
            "qwertyuiop123",
            "123456789012",
            "aaaaaaaaaaaa",
            "abcabcabcabc",
            "abcdefghijkl",
            "Sample-Res-2026!",
            "correcthorsebatterystaple",
            "            ",
            "zyxwvutsrqpo",
        ] {
            assert_eq!(check(common, "sample-res"), Err(BadPassword::Common), "{common}");
        }
        for good in ["violet harbour tuesday pebble", "ünïcödé wörds ärë fïnë", "tT9#kd02!mmQx"] {
            assert_eq!(check(good, "sample-res"), Ok(()), "{good}");
        }
    }

    #[test]
    fn waits_double_from_one_second_to_a_quarter_of_an_hour() {
        let seconds: Vec<u64> = (4..18).map(|count| wait(count).as_secs()).collect();
        assert_eq!(seconds, [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
        let (wrong, start) = (Wrong::default(), Instant::now());
        for _ in 0..5 {
            assert_eq!(wrong.may_try("a", start), Ok(()));
            wrong.add("a", start);
        }
        assert_eq!(wrong.may_try("a", start), Err(1));
        assert_eq!(wrong.may_try("a", start + Duration::from_secs(1)), Ok(()));
        assert_eq!(wrong.may_try("b", start), Ok(()));
        wrong.clear("a");
        assert_eq!(wrong.may_try("a", start), Ok(()));
    }

    #[tokio::test]
    async fn kept_passwords_are_argon2id_of_the_spec_and_only_the_same_one_fits() {
        let kept = keep("violet harbour tuesday".to_owned()).await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(is("violet harbour tuesday".to_owned(), Some(kept.clone())).await.unwrap());
        assert!(!is("violet harbour monday".to_owned(), Some(kept)).await.unwrap());
        assert!(!is("violet harbour tuesday".to_owned(), None).await.unwrap());
    }
}
