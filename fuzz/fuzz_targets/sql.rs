//! Any bytes as the SQL of sqlrunner: told apart into statements, its header derived, its word on opt-outs looked for.
#![no_main]

use std::sync::LazyLock;

use fuzz::{Desk, choices, words};
use libfuzzer_sys::fuzz_target;

static DESK: LazyLock<Desk> = LazyLock::new(Desk::new);
/// So that what comes after the rule on opt-outs is reached too.
const DECLARED: &[u8] = b"-- none here AllowedPatientsWithTypeOneDissent\n";
const VERSIONS: [&str; 5] =
    ["sqlrunner:latest", "sqlrunner:v0.2.6", "sqlrunner:v0.1.19", "sqlrunner:v0.1.5", "sqlrunner:v0.0.1"];

fuzz_target!(|bytes: &[u8]| {
    let Some(([form, manner], sql)) = choices(bytes) else { return };
    let declared = [if form & 1 == 1 { DECLARED } else { b"" }, sql].concat();
    DESK.put("query.sql", &declared);
    let mut args = words(["--output", "out/rows.csv", "in/query.sql"]);
    if form & 2 == 2 {
        DESK.put("dummy.csv", b"patient_id,Sex\n1,M\n2,\n");
        args.extend(words(["--dummy-data-file", "in/dummy.csv"]));
    }
    for (bit, word) in [(4, "--strict-dummy"), (8, "--compat=original"), (16, "--log-file=out/log.json")] {
        if form & bit == bit {
            args.push(word.into());
        }
    }
    DESK.run(VERSIONS[usize::from(manner) % VERSIONS.len()], &args, &[0, 1, 2, 10, 11, 12]);
});
