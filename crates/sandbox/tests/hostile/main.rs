//! The hostile rows of spec sandbox.md 13 that need no engine: one folder of `rows/` and one test for each, by number.
//! Each runs as root and as an ordinary user, after a control: the same attempt outside succeeds, or the row is void.
//! `docs/security.md` says which rows are elsewhere and what is not claimed; `crates/cli/tests/hostile` checks that list.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]
#![allow(dead_code, reason = "the rig is shared with `tests/native`, which uses more of it")]

mod data;
mod harness;
#[path = "../native/rig.rs"]
mod rig;
mod special;
mod world;

/// A test for each row whose data says everything.
macro_rules! rows {
    ($($name:ident),* $(,)?) => {
        $(#[test] fn $name() { harness::check(stringify!($name)); })*
        const PLAIN: &[&str] = &[$(stringify!($name)),*];
    };
}

rows! {
    row_01_marked_files,
    row_02_mounts,
    row_03_processes,
    row_04_environment,
    row_05_descriptors,
    row_08_network,
    row_09_sockets_of_the_host,
    row_10_socket_families,
    row_11_namespaces,
    row_12_mounting,
    row_13_set_user_programs,
    row_14_devices,
    row_15_tracing,
    row_16_signals,
    row_17_kernel_calls,
    row_18_handles_and_magic_links,
    row_19_foreign_calls,
    row_20_terminals,
    row_21_bombs,
    row_22_memory,
    row_23_memory_of_a_child,
    row_24_memory_of_files,
    row_25_codes,
    row_26_disk,
    row_27_many_files,
    row_30_ignored_term,
    row_47_database,
    row_48_left_behind,
    row_49_neighbours,
    row_50_core_dumps,
}

#[test]
fn every_folder_is_a_test() {
    let mut named: Vec<&str> = PLAIN.iter().chain(special::SPECIAL).copied().collect();
    named.sort_unstable();
    assert_eq!(data::folders(), named);
}
