//! Digests as text: of bytes, commits, trees, images, and the first link of a chain.
//! Spec protocol.md 3.4, 4.1, 4.3.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::text;

text!(
    /// SHA-256 as 64 lower-case hexadecimal digits.
    Sha256Hex: "SHA-256" from "digest", 64, "^[0-9a-f]{64}$", "64 lower-case hexadecimal digits"
);
text!(
    /// A commit by all 40 digits.
    CommitId: "commit" from "digest", 40, "^[0-9a-f]{40}$", "40 lower-case hexadecimal digits"
);
text!(
    /// A git tree by all 40 digits.
    TreeId: "tree" from "digest", 40, "^[0-9a-f]{40}$", "40 lower-case hexadecimal digits"
);
text!(
    /// What a job ran in: a digest of an image, or `host:` and the hash of a native environment's lock.
    ImageDigest: "image digest" from "digest", 71, "^(sha256|host):[0-9a-f]{64}$",
    "`sha256:` or `host:` and 64 lower-case hexadecimal digits"
);
text!(
    /// A commitment to a set of outputs: the root of a Merkle tree.
    Commitment: "commitment" from "digest", 64, "^[0-9a-f]{64}$", "64 lower-case hexadecimal digits"
);

impl Sha256Hex {
    /// What a chain begins with in place of a previous hash.
    pub fn zero() -> Self {
        Self("0".repeat(64).into())
    }

    /// The digest of these bytes, one part after the other.
    pub fn of(parts: &[&[u8]]) -> Self {
        let digest = parts.iter().fold(Sha256::new(), |hasher, part| hasher.chain_update(part)).finalize();
        Self(HEXLOWER.encode(&digest).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_digests() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Sha256Hex::of(&[b"a", b"bc"]).as_str(), abc);
        assert!(abc.to_uppercase().parse::<Sha256Hex>().is_err());
        assert!(format!("host:{abc}").parse::<ImageDigest>().is_ok());
        assert!(abc.parse::<ImageDigest>().is_err());
    }
}
