//! The hostile rows of spec sandbox.md 13 that need the engine: whole runs of the built `cloister`, one folder of `rows/`
//! and one test for each, as root and as an ordinary user. The other rows are in `crates/sandbox/tests/hostile`;
//! `docs/security.md` says which is where and what is not claimed, and a test here holds it to that.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at its first surprise")]
#![allow(unreachable_pub, dead_code, reason = "the rig is shared with `tests/run`, which uses more of it")]

mod claims;
mod harness;
#[path = "../run/rig.rs"]
mod rig;

/// A test for each row; its data says everything.
macro_rules! rows {
    ($($name:ident),* $(,)?) => {
        $(#[test] fn $name() { harness::check(stringify!($name)); })*
        const ROWS: &[&str] = &[$(stringify!($name)),*];
    };
}

rows! {
    row_04_environment,
    row_07_inputs,
    row_22_memory,
    row_23_memory_of_a_child,
    row_26_disk,
    row_29_escapes,
    row_30_ignored_term,
    row_32_links,
    row_33_linked_folders,
    row_34_special_files,
    row_35_hard_links,
    row_36_names,
    row_38_many_outputs,
    row_39_tables,
    row_40_link_for_an_input,
    row_41_repository,
    row_42_project_file,
    row_43_action_names,
    row_44_words_of_a_runtime,
    row_45_image_tags,
    row_47_database,
    row_52_missing_walls,
}

#[test]
fn every_folder_is_a_test() {
    assert_eq!(harness::folders(), ROWS);
}
