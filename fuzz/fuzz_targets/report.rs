//! Any bytes as a file of dataset-report, in each format, with and without details.
#![no_main]

use std::sync::LazyLock;

use fuzz::{Desk, choices, ending, words};
use libfuzzer_sys::fuzz_target;

static DESK: LazyLock<Desk> = LazyLock::new(Desk::new);
const VERSIONS: [&str; 3] = ["dataset-report:v0.0.29", "dataset-report:v1", "dataset-report:v0.0.14"];

fuzz_target!(|bytes: &[u8]| {
    let Some(([form, manner], file)) = choices(bytes) else { return };
    let name = format!("input.{}", ending(form));
    DESK.put(&name, file);
    let mut args = words(["--input-files", &format!("in/{name}"), "--output-dir", "out"]);
    if manner & 1 == 1 {
        args.push("--detail".into());
    }
    if manner & 2 == 2 {
        args.push("--compat=original".into());
    }
    DESK.run(VERSIONS[usize::from(manner >> 2) % VERSIONS.len()], &args, &[0, 1, 2]);
});
