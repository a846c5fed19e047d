//! Secrets that the site gives out: bearer tokens and one-time codes. Only their hashes are kept.
//! Spec site.md 11.6, protocol.md 2.

use sha2::{Digest, Sha256};

const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Characters of chance: 62^43 is a little more than 2^256.
const LENGTH: usize = 43;
const CHECKS: usize = 6;

/// A fresh token: `clo_`, a letter for its kind, 43 random characters and 6 that check them, so that a scanner of
/// published code can tell it from chance.
///
/// # Errors
/// The system gives no random numbers.
pub fn token(kind: char) -> Result<String, getrandom::Error> {
    let mut token = format!("clo_{kind}");
    token.push_str(&random(LENGTH, LETTERS)?);
    let checks = Sha256::digest(token.as_bytes());
    token.extend(checks.iter().take(CHECKS).map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])));
    Ok(token)
}

/// A one-time code that a person types: five groups of five letters and digits that look like no others.
pub(super) fn code() -> Result<String, getrandom::Error> {
    let letters = random(25, b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ")?;
    let groups: Vec<&str> = (0..5).filter_map(|i| letters.get(i * 5..i * 5 + 5)).collect();
    Ok(groups.join("-"))
}

/// What is kept of a secret.
pub(super) fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

fn random(length: usize, letters: &[u8]) -> Result<String, getrandom::Error> {
    // Bytes beyond the last whole multiple would make some letters likelier.
    let limit = 256 - 256 % letters.len();
    let mut text = String::new();
    while text.len() < length {
        let mut bytes = [0; 64];
        getrandom::fill(&mut bytes)?;
        let fair = bytes.into_iter().map(usize::from).filter(|byte| *byte < limit);
        text.extend(fair.take(length - text.len()).map(|byte| char::from(letters[byte % letters.len()])));
    }
    Ok(text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]
mod tests {
    #[test]
    fn forms() {
        let token = super::token('b').unwrap();
        assert_eq!((token.len(), &token[..5]), (54, "clo_b"));
        assert!(token[5..].bytes().all(|b| b.is_ascii_alphanumeric()));
        assert_ne!(token, super::token('b').unwrap());
        let code = super::code().unwrap();
        assert!(code.parse::<protocol::enrol::EnrolCode>().is_ok(), "{code}");
        assert_eq!(code.len(), 29);
    }
}
