//! Rows that need more than a table: somebody kills, or looks on from outside.

use crate::harness::check_with;

pub const SPECIAL: &[&str] = &["row_06_read_only"];

/// The tree of programs is byte for byte what it was.
#[test]
fn row_06_read_only() {
    check_with(
        "row_06_read_only",
        |_| {},
        |world, _, _| {
            let lib = world.home.path().join("tree/lib");
            let names: Vec<_> = std::fs::read_dir(&lib).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            assert_eq!(names, ["data.txt"]);
            assert_eq!(std::fs::read_to_string(lib.join("data.txt")).unwrap(), "as it was\n");
        },
    );
}
