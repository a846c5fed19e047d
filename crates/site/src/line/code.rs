//! The code that an operator types to enrol a backend.
//! Spec protocol.md 2.

/// Letters and digits that look like no others: 32, so that every byte is fair.
const LETTERS: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

/// A one-time code: five groups of five, 125 random bits.
pub(super) fn new() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 25];
    getrandom::fill(&mut bytes)?;
    let letters: Vec<char> = bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
    let groups: Vec<String> = letters.chunks(5).map(|group| group.iter().collect()).collect();
    Ok(groups.join("-"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]
mod tests {
    #[test]
    fn form() {
        let code = super::new().unwrap();
        assert!(code.parse::<protocol::enrol::EnrolCode>().is_ok(), "{code}");
        assert_eq!((code.len(), code.matches('-').count()), (29, 4));
        assert_ne!(code, super::new().unwrap());
    }
}
