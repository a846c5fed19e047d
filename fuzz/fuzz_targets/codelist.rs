//! Any bytes as the codelist of generate_codelist_report.
#![no_main]

use std::sync::LazyLock;

use fuzz::{Desk, words};
use libfuzzer_sys::fuzz_target;

static DESK: LazyLock<Desk> = LazyLock::new(Desk::new);

/// The tables of a case: to read these few rows takes less than to invent patients.
macro_rules! tables {
    ($($name:literal)*) => {
        [$(($name, include_bytes!(concat!("../../crates/actions/cases/cohortextractor/codelist-report-tables/input/", $name))
            .as_slice())),*]
    };
}

const TABLES: [(&str, &[u8]); 4] = tables!(
    "tables/CodedEvent_SNOMED.csv" "tables/Organisation.csv" "tables/Patient.csv" "tables/RegistrationHistory.csv"
);

fuzz_target!(|bytes: &[u8]| {
    DESK.put("codelist.csv", bytes);
    let mut args = words([
        "generate_codelist_report",
        "--codelist-path=in/codelist.csv",
        "--start-date=2020-01-03",
        "--end-date=2020-02-20",
        "--output-dir=out",
    ]);
    // Inventing is slow and is not what is tried: it is done now and then.
    if bytes.len() % 64 == 0 {
        args.extend(words(["--codes=3", "--days=2"]));
    } else {
        TABLES.iter().for_each(|(name, bytes)| DESK.put(name, bytes));
        args.extend(words(["--dummy-tables=in/tables"]));
    }
    DESK.run("cohortextractor:latest", &args, &[0, 1, 2, 10]);
});
