//! Ed25519 keys and signatures, and the six words by which two people compare keys.
//! Spec protocol.md 2, 3.1, 4.1. The arithmetic is ed25519-dalek's; nothing of it is here.

use std::fmt;

use data_encoding::BASE64;
use ed25519_dalek::Signer;
use sha2::{Digest, Sha256};

use crate::text::ids::KeyId;
use crate::text::names::BackendSlug;
use crate::text::text;

text!(
    /// An Ed25519 public key in base64. Whether it is a point of the curve is found when it is used.
    PublicKeyText: "public key" from "key", 44, "^[A-Za-z0-9+/]{43}=$", "32 bytes in base64"
);
text!(
    /// An Ed25519 signature in base64.
    SignatureText: "signature" from "key", 88, "^[A-Za-z0-9+/]{86}==$", "64 bytes in base64"
);

/// What a signature is over: no signature of one kind can pass for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// An order, signed by the site.
    Directive,
    /// What happened, signed by a backend.
    Fact,
}

impl Purpose {
    fn tag(self) -> &'static str {
        match self {
            Self::Directive => "cloister-directive-v1\n",
            Self::Fact => "cloister-fact-v1\n",
        }
    }
}

/// A private key. It is wiped from memory when dropped, and shows nothing of itself.
pub struct SigningKey {
    key: ed25519_dalek::SigningKey,
    id: KeyId,
}

impl SigningKey {
    /// The key of 32 random bytes, under the name by which the other side knows it.
    pub fn new(secret: &[u8; 32], id: KeyId) -> Self {
        Self { key: ed25519_dalek::SigningKey::from_bytes(secret), id }
    }

    /// Its name.
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// The public part.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.key.verifying_key())
    }

    /// Signs a hash (64 hexadecimal digits) for a purpose.
    pub(crate) fn sign(&self, purpose: Purpose, hash: &str) -> SignatureText {
        let signature = self.key.sign(format!("{}{hash}", purpose.tag()).as_bytes());
        SignatureText(BASE64.encode(&signature.to_bytes()).into())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, private)", self.id)
    }
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(ed25519_dalek::VerifyingKey);

/// A text that is no usable public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a usable Ed25519 public key (32 bytes in base64, a point of the curve that is not weak)")]
pub struct BadKey;

impl PublicKey {
    /// The key of its text.
    ///
    /// # Errors
    /// Not a point of the curve, or a weak one under which anything verifies.
    pub fn read(text: &PublicKeyText) -> Result<Self, BadKey> {
        let bytes = BASE64.decode(text.as_str().as_bytes()).map_err(|_| BadKey)?;
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| BadKey)?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(&bytes).map_err(|_| BadKey)?;
        if key.is_weak() { Err(BadKey) } else { Ok(Self(key)) }
    }

    /// Its text.
    pub fn text(&self) -> PublicKeyText {
        PublicKeyText(BASE64.encode(self.0.as_bytes()).into())
    }

    /// Whether the signature is this key's over a hash for a purpose. Only the one encoding of a signature passes.
    pub(crate) fn verifies(&self, purpose: Purpose, hash: &str, signature: &SignatureText) -> bool {
        let Ok(bytes) = BASE64.decode(signature.as_str().as_bytes()) else { return false };
        let Ok(signature) = ed25519_dalek::Signature::from_slice(&bytes) else { return false };
        self.0.verify_strict(format!("{}{hash}", purpose.tag()).as_bytes(), &signature).is_ok()
    }
}

/// The keys of the other side that count now, by name.
pub type Keys = std::collections::BTreeMap<KeyId, PublicKey>;

/// The six words that both ends of an enrolment print, for two people to compare: 66 bits over the backend's name and
/// both public keys. The words are the English list of BIP 39.
pub fn fingerprint(backend: &BackendSlug, backend_key: &PublicKey, site_key: &PublicKey) -> [&'static str; 6] {
    let text = format!("cloister-fingerprint-v1\n{backend}\n{}\n{}\n", backend_key.text(), site_key.text());
    let digest = Sha256::digest(text.as_bytes());
    let words = bip39::Language::English.word_list();
    std::array::from_fn(|i| {
        let bit = i * 11;
        let three = digest[bit / 8..bit / 8 + 3].iter().fold(0usize, |sum, &b| sum << 8 | usize::from(b));
        words[three >> (13 - bit % 8) & 0x7ff]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(byte: u8) -> SigningKey {
        SigningKey::new(&[byte; 32], KeyId::t("k-1"))
    }

    #[test]
    fn the_key_of_the_spec() {
        assert_eq!(key(1).public().text().as_str(), "iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=");
        assert_eq!(format!("{:?}", key(1)), "SigningKey(k-1, private)");
    }

    #[test]
    fn a_signature_is_for_one_purpose_one_key_one_hash() {
        let signature = key(1).sign(Purpose::Fact, "00");
        assert!(key(1).public().verifies(Purpose::Fact, "00", &signature));
        assert!(!key(1).public().verifies(Purpose::Directive, "00", &signature));
        assert!(!key(2).public().verifies(Purpose::Fact, "00", &signature));
        assert!(!key(1).public().verifies(Purpose::Fact, "01", &signature));
    }

    #[test]
    fn weak_and_broken_keys_are_refused() {
        // The neutral point (y = 1): under it, signatures of nobody verify.
        let neutral = PublicKeyText::t(&BASE64.encode(&std::array::from_fn::<u8, 32, _>(|i| u8::from(i == 0))));
        assert_eq!(PublicKey::read(&neutral), Err(BadKey));
        // Trailing bits that say nothing: a second spelling of the same bytes.
        assert_eq!(PublicKey::read(&PublicKeyText::t("iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1x=")), Err(BadKey));
    }

    #[test]
    fn fingerprints_take_eleven_bits_a_word_from_the_front() {
        let slug = BackendSlug::t("north");
        let (backend, site) = (key(1).public(), key(2).public());
        let text = format!("cloister-fingerprint-v1\nnorth\n{}\n{}\n", backend.text(), site.text());
        let bits: String = Sha256::digest(text.as_bytes()).iter().map(|b| format!("{b:08b}")).collect();
        let list = bip39::Language::English.word_list();
        let words = fingerprint(&slug, &backend, &site);
        for (i, word) in words.iter().enumerate() {
            assert_eq!(*word, list[usize::from_str_radix(&bits[i * 11..i * 11 + 11], 2).unwrap()]);
        }
        assert_ne!(words, fingerprint(&slug, &site, &backend));
        assert_ne!(words, fingerprint(&BackendSlug::t("south"), &backend, &site));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn a_changed_bit_of_a_signature_is_refused(bit in 0usize..512) {
            let signature = key(3).sign(Purpose::Directive, "ab");
            let mut bytes = BASE64.decode(signature.as_str().as_bytes()).unwrap();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let changed = SignatureText::t(&BASE64.encode(&bytes));
            prop_assert!(!key(3).public().verifies(Purpose::Directive, "ab", &changed));
        }
    }
}
