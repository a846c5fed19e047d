//! Random secrets, how they are written, and the hash that is all the site keeps of them.
//! Spec site.md 11.2, 11.6; protocol.md 2.

use sha2::{Digest, Sha256};

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Random characters of a token: 62^43 is more than 2^256.
const RANDOM: usize = 43;
const CHECK: usize = 6;

/// SHA-256 of a secret's text. Tables hold this, never the text; looking it up takes no time that depends on the secret.
pub fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// What a token is for: the letter behind `clo_`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A person's, for the API.
    Person,
    /// A backend's, for its calls.
    Backend,
}

impl Kind {
    fn letter(self) -> char {
        match self {
            Self::Person => 'p',
            Self::Backend => 'b',
        }
    }
}

/// A source of random numbers that does not answer. Nothing can be made safely then.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the system gives no random numbers")]
pub struct NoRandom;

/// `N` random bytes.
///
/// # Errors
/// The system gives none.
pub fn random<const N: usize>() -> Result<[u8; N], NoRandom> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| NoRandom)?;
    Ok(bytes)
}

/// 256 random bits as 43 characters that may stand in a cookie, a form or an address.
///
/// # Errors
/// The system gives no random numbers.
pub fn opaque() -> Result<String, NoRandom> {
    Ok(data_encoding::BASE64URL_NOPAD.encode(&random::<32>()?))
}

/// A new token: `clo_`, the letter of its kind, 43 random characters, 6 that check the rest.
///
/// # Errors
/// The system gives no random numbers.
pub fn token(kind: Kind) -> Result<String, NoRandom> {
    let mut text = format!("clo_{}", kind.letter());
    let start = text.len();
    while text.len() < start + RANDOM {
        for byte in random::<64>()? {
            // The greatest multiple of 62 below 256, so that every character is equally likely.
            if byte < 248 && text.len() < start + RANDOM {
                text.push(char::from(BASE62[usize::from(byte % 62)]));
            }
        }
    }
    let check = check(&text);
    text.push_str(&check);
    Ok(text)
}

/// Whether a text has the form of a token of this kind, by its check characters: a mistyped one is not looked up.
pub fn is_token(kind: Kind, text: &str) -> bool {
    let Some(rest) = text.strip_prefix("clo_").and_then(|rest| rest.strip_prefix(kind.letter())) else { return false };
    let fits = rest.len() == RANDOM + CHECK && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
    fits && text.len() > CHECK && check(&text[..text.len() - CHECK]) == text[text.len() - CHECK..]
}

/// Whether a text holds what looks like any token: such a text goes into no log and is accepted in no address.
pub fn has_token(text: &str) -> bool {
    text.match_indices("clo_").any(|(at, _)| {
        let rest = text[at + 4..].bytes().take_while(u8::is_ascii_alphanumeric).count();
        rest > RANDOM
    })
}

fn check(text: &str) -> String {
    let mut left = crc32(text.as_bytes());
    let mut digits = [b'0'; CHECK];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(left % 62) as usize];
        left /= 62;
    }
    digits.iter().map(|byte| char::from(*byte)).collect()
}

/// CRC-32 as of ISO 3309, bit by bit: tokens are short.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_is_the_known_sum() {
        // The check value of CRC-32 for the nine digits.
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn tokens_have_their_form_and_one_wrong_character_shows() {
        let text = token(Kind::Person).unwrap();
        assert_eq!(text.len(), 4 + 1 + 43 + 6);
        assert!(text.starts_with("clo_p") && is_token(Kind::Person, &text) && !is_token(Kind::Backend, &text));
        for at in 5..text.len() {
            let mut wrong = text.clone().into_bytes();
            wrong[at] = if wrong[at] == b'a' { b'b' } else { b'a' };
            assert!(!is_token(Kind::Person, std::str::from_utf8(&wrong).unwrap()));
        }
        assert!(has_token(&format!("/x?t={text}")) && !has_token("/clo_/clo_p"));
        assert_ne!(text, token(Kind::Person).unwrap());
    }

    #[test]
    fn odd_texts_are_no_tokens() {
        for text in ["", "clo_", "clo_p", "clo_pé", &"clo_p".repeat(20), &format!("clo_p{}", "é".repeat(49))] {
            assert!(!is_token(Kind::Person, text), "{text}");
        }
    }
}
