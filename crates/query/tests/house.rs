//! The reference interpreter stays small enough to be read beside section 5 of warehouse.md: at most 1,500 lines of code
//! (without blank lines, comments and tests), as section 10 says.

#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use std::fs;
use std::path::Path;

#[test]
fn the_reference_is_small() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/reference");
    let mut lines = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let code = text.lines().take_while(|line| *line != "#[cfg(test)]").map(str::trim);
        lines += code.filter(|line| !line.is_empty() && !line.starts_with("//")).count();
    }
    assert!((1..=1_500).contains(&lines), "{lines} lines");
}
