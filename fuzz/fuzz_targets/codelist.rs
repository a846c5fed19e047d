//! Any bytes as the codelist of generate_codelist_report.
#![no_main]

use std::sync::LazyLock;

use fuzz::{Desk, words};
use libfuzzer_sys::fuzz_target;

static DESK: LazyLock<Desk> = LazyLock::new(Desk::new);

fuzz_target!(|bytes: &[u8]| {
    DESK.put("codelist.csv", bytes);
    // A week of few days and codes: the invented numbers are not what is tried.
    let args = words([
        "generate_codelist_report",
        "--codelist-path=in/codelist.csv",
        "--start-date=2020-01-01",
        "--end-date=2020-01-07",
        "--codes=3",
        "--days=2",
        "--output-dir=out",
    ]);
    DESK.run("cohortextractor:latest", &args, &[0, 1, 2, 10]);
});
