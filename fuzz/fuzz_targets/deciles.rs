//! Any bytes as a measure file of deciles-charts, and as its `config:`.
#![no_main]

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::sync::LazyLock;

use fuzz::{Desk, choices, words};
use libfuzzer_sys::fuzz_target;

static DESK: LazyLock<Desk> = LazyLock::new(Desk::new);
const GOOD: &[u8] = b"practice,date,value\n1,2020-01-01,0.5\n2,2020-01-01,1\n1,2020-02-01,0.25\n2,2020-02-01,inf\n";
const VERSIONS: [&str; 3] = ["deciles-charts:v0.0.47", "deciles-charts:v1", "deciles-charts:v0.0.13"];
const COMPAT: [&str; 3] = ["--compat=safe", "--compat=original", "--compat=original-2022"];

fuzz_target!(|bytes: &[u8]| {
    // The first byte chooses what the rest is; most often charts are left out, because drawing is what takes time.
    let Some(([form, manner], rest)) = choices(bytes) else { return };
    let (config, file): (&[u8], &[u8]) = match form % 4 {
        0 => (rest, GOOD),
        1 => (b"{}", rest),
        2 => (br#"{"charts":{"formats":["svg"]}}"#, rest),
        _ => (br#"{"show_outer_percentiles":true,"charts":{"output":false}}"#, rest),
    };
    let name = ["measure_x.csv", "measure_x.csv.gz"][usize::from(form / 4 % 2)];
    DESK.put(name, file);
    let mut args =
        words(["--input-files", "in/measure_*", "--output-dir", "out", COMPAT[usize::from(manner) % 3], "--config"]);
    args.push(OsString::from_vec(config.to_vec()));
    DESK.run(VERSIONS[usize::from(manner / 3) % VERSIONS.len()], &args, &[0, 1, 2]);
});
