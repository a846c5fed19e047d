//! Marker strings, and whether one of them is in some bytes in any form in which it could have left.

use std::io::Read;

use data_encoding::{BASE64, BASE64URL, HEXLOWER};

/// In names of files that study code made.
pub const NAME: &str = "Mq7NameKestrelPlum";
/// In values, at either level.
pub const VALUE: &str = "Mq7ValueOtterQuince";
/// In what study code printed.
pub const PRINTED: &str = "Mq7PrintedHeronFig";
/// In what an exception said.
pub const RAISED: &str = "Mq7RaisedStoatMedlar";
/// In the environment of the backend.
pub const AROUND: &str = "Mq7AroundWrenDamson";
/// Where a link points to.
pub const LINKED: &str = "Mq7LinkedVoleSloe";

pub const ALL: [&str; 6] = [NAME, VALUE, PRINTED, RAISED, AROUND, LINKED];

/// Every way to write a mark for which is looked, all in lower case: so is what is looked through.
fn views(mark: &str) -> Vec<Vec<u8>> {
    let mut views = vec![mark.as_bytes().to_vec(), HEXLOWER.encode(mark.as_bytes()).into_bytes()];
    for offset in 0..3 {
        // Whatever stands before and behind the mark, these digits of base 64 are the same.
        let before = [vec![0; offset], mark.as_bytes().to_vec()].concat();
        let digits = (offset * 8).div_ceil(6)..before.len() * 8 / 6;
        for code in [BASE64, BASE64URL] {
            views.push(code.encode(&before).as_bytes()[digits.clone()].to_vec());
        }
    }
    views.iter().map(|view| view.to_ascii_lowercase()).collect()
}

/// The marks that are in these bytes.
pub fn found(bytes: &[u8]) -> Vec<&'static str> {
    let bytes = bytes.to_ascii_lowercase();
    let is_in = |view: &Vec<u8>| bytes.windows(view.len()).any(|window| window == view);
    ALL.into_iter().filter(|mark| views(mark).iter().any(is_in)).collect()
}

/// A body without its compression.
pub fn unpacked(encoding: Option<&str>, body: &[u8]) -> Vec<u8> {
    match encoding {
        None | Some("identity") => body.to_vec(),
        Some("gzip") => {
            let mut whole = Vec::new();
            flate2::read::MultiGzDecoder::new(body).read_to_end(&mut whole).unwrap();
            whole
        }
        Some(other) => panic!("this test cannot look into a body of the encoding {other}: teach it"),
    }
}

#[test]
fn marks_are_found_in_every_form() {
    for mark in ALL {
        for before in ["", "a", "ab", "abc"] {
            let plain = format!("{before}{mark}-behind");
            let hex = HEXLOWER.encode(plain.as_bytes());
            let forms = [
                plain.clone(),
                plain.to_uppercase(),
                hex.to_uppercase(),
                hex,
                BASE64.encode(plain.as_bytes()),
                BASE64URL.encode(plain.as_bytes()),
            ];
            for form in forms {
                assert_eq!(found(format!("{{\"x\":\"{form}\"}}").as_bytes()), [mark], "{form}");
            }
        }
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut packed, format!("{mark}{mark}").as_bytes()).unwrap();
        assert_eq!(found(&unpacked(Some("gzip"), &packed.finish().unwrap())), [mark]);
    }
    assert!(found(b"{\"code\":\"nonzero_exit\"}").is_empty());
}
