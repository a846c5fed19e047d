//! Names that Cloister itself makes: requests, jobs, directives, releases, process starts.
//! Spec jobs.md 1, protocol.md 2, 3.1, 4.4.

use data_encoding::BASE32_NOPAD;
use sha1::{Digest, Sha1};

use super::names::ActionName;
use super::text;

text!(
    /// A job request: 16 characters `[a-z0-9]`; those made by Cloister use `[a-z2-7]`.
    RequestId: "request id" from "made by the site", 16, "^[a-z0-9]{16}$", "16 characters, each a-z or 0-9"
);
text!(
    /// A job, one action of one request: 16 characters `[a-z2-7]`.
    JobId: "job id" from "hash of request and action", 16, "^[a-z2-7]{16}$", "16 characters, each a-z or 2-7"
);
text!(
    /// A sortable unique id: 26 characters of Crockford's base 32. Directives, releases, review events, process starts.
    Ulid: "ULID" from "time and random bytes", 26, "^[0-7][0-9A-HJKMNP-TV-Z]{25}$",
    "26 characters of 0-9 and A-Z without I, L, O and U, the first at most 7"
);
text!(
    /// A key by its name at the other side: `site-1`.
    KeyId: "key id" from "enrolment", 64, "^[a-z0-9][a-z0-9-]*$", "lower-case letters, digits and `-`"
);
text!(
    /// The key to an entry of the backend's inner log: ten random characters that say nothing outside.
    LogRef: "log reference" from "random bytes", 10, "^[a-z2-7]{10}$", "10 characters, each a-z or 2-7"
);

impl RequestId {
    /// The id made of ten random bytes.
    pub fn from_random(bytes: [u8; 10]) -> Self {
        Self(base32(&bytes))
    }
}

impl JobId {
    /// The id of the job that runs `action` for `request`: both sides know it without asking.
    pub fn of(request: &RequestId, action: &ActionName) -> Self {
        let digest =
            Sha1::new_with_prefix(request.as_str()).chain_update(b"\n").chain_update(action.as_str()).finalize();
        Self(base32(&digest[..10]))
    }
}

impl Ulid {
    /// The id of a moment (milliseconds since 1970, 48 bits) and 80 random bits; further bits of either are dropped.
    pub fn from_parts(milliseconds: u64, random: u128) -> Self {
        Self(ulid::Ulid::from_parts(milliseconds, random).to_string().into())
    }
}

impl LogRef {
    /// The reference made of seven random bytes, of which 50 bits are used.
    pub fn from_random(bytes: [u8; 7]) -> Self {
        Self(base32(&bytes)[..10].into())
    }
}

fn base32(bytes: &[u8]) -> Box<str> {
    BASE32_NOPAD.encode(bytes).to_ascii_lowercase().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn job_ids_of_the_spec() {
        for (request, action, job) in [
            ("m4qz7kd2hu5xw3np", "tabulate", "iffh6wyvqzyqr6h3"),
            ("5i42i3xk2j47qlg6", "render_report", "54fy7iwzg25g3bvp"),
            ("rvvj5jxpbiteq2d5", "generate_dataset_report_test", "vr766iowztlp3x3w"),
        ] {
            assert_eq!(JobId::of(&RequestId::t(request), &ActionName::t(action)).as_str(), job);
        }
    }

    #[test]
    fn forms() {
        assert!("01KAZ7Q0V5T9M3XJ2C8R4W6YDE".parse::<Ulid>().is_ok());
        for bad in ["81KAZ7Q0V5T9M3XJ2C8R4W6YDE", "01kaz7q0v5t9m3xj2c8r4w6yde", "01KAZ7Q0V5T9M3XJ2C8R4W6YDI", ""] {
            assert!(bad.parse::<Ulid>().is_err(), "{bad}");
        }
        for bad in ["0123456789abcde", "0123456789abcdefg", "0123456789ABCDEF", "0123456789abcde\n", "é123456789abcdef"]
        {
            assert!(bad.parse::<RequestId>().is_err(), "{bad}");
        }
        assert!("0123456789abcdef".parse::<JobId>().is_err());
        assert_eq!(LogRef::from_random([0; 7]).as_str(), "aaaaaaaaaa");
        assert_eq!(RequestId::from_random([255; 10]).as_str(), "7777777777777777");
        assert_eq!(Ulid::from_parts(0, 1).as_str(), "00000000000000000000000001");
        let message = "\u{1b}[2Jsecret".parse::<JobId>().unwrap_err().to_string();
        assert_eq!(message, "not a job id: 16 characters, each a-z or 2-7");
    }
}
