//! Any bytes as the left, the right or both files of cohort-joiner, in each format, safe and as the original.
#![no_main]

use std::sync::LazyLock;

use fuzz::{Desk, choices, ending, words};
use libfuzzer_sys::fuzz_target;

static DESK: LazyLock<Desk> = LazyLock::new(Desk::new);
/// The other side when one file is all bytes.
const GOOD: &[u8] = b"patient_id,imd,text\n1,40,A\n20,,B\n20,41,\"C,\"\n4000000000,0x,\n";

fuzz_target!(|bytes: &[u8]| {
    // The first byte chooses formats and which side the bytes are, the second the rest; for both sides it also parts them.
    let Some(([form, manner], files)) = choices(bytes) else { return };
    let (one, other) = (ending(form % 5), ending(form / 5 % 5));
    let (left, right, left_ending, right_ending) = match manner % 3 {
        0 => {
            let (left, right) = files.split_at(files.len() * usize::from(manner / 3) / 85);
            (left, right, one, other)
        }
        1 => (files, GOOD, one, "csv"),
        _ => (GOOD, files, "csv", one),
    };
    let (left_name, right_name) = (format!("left.{left_ending}"), format!("right.{right_ending}"));
    DESK.put(&left_name, left);
    DESK.put(&right_name, right);
    let mut args =
        words(["--lhs", &format!("in/{left_name}"), "--rhs", &format!("in/{right_name}"), "--output-dir", "out"]);
    if form / 25 % 2 == 1 {
        args.push("--compat=original".into());
    }
    let version = if form / 50 % 2 == 1 { "cohort-joiner:v1" } else { "cohort-joiner:v0.0.58" };
    DESK.run(version, &args, &[0, 1, 2]);
});
