//! The model test of spec protocol.md 11: the real log and line of a backend and a site made of the protocol's own rules, over a
//! network and in a time that are simulated, with kills and restores of either side. Afterwards both agree, each order was
//! answered once, no job was lost or doubled, no final state changed.

#![allow(unreachable_pub, clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]

#[path = "../common/mod.rs"]
mod common;
mod desk;
mod net;
mod site;
mod steady;
mod world;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};

use net::Weather;
use world::{Kind, Step, live};

fn weather() -> impl Strategy<Value = Weather> {
    prop_oneof![
        2 => Just(Weather::Fine),
        4 => (1u64..6).prop_map(Weather::Rough),
        1 => Just(Weather::Down),
    ]
}

fn wait() -> impl Strategy<Value = Step> {
    prop_oneof![8 => 0u64..3_000, 2 => 3_000u64..40_000, 1 => 40_000u64..200_000].prop_map(Step::Wait)
}

/// What happens, whatever is killed.
fn common_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (1usize..3).prop_map(Step::Order),
        1 => any::<usize>().prop_map(Step::Again),
        2 => (any::<usize>(), any::<bool>()).prop_map(|(n, unknown)| Step::Cancel(n, unknown)),
        7 => wait(),
        3 => weather().prop_map(Step::Weather),
        2 => any::<bool>().prop_map(Step::KillBackend),
        2 => Just(Step::KillSite),
        1 => any::<usize>().prop_map(Step::Resend),
        1 => Just(Step::Rights),
        1 => Just(Step::Credential),
        1 => (0u64..30).prop_map(Step::Busy),
        1 => (1u64..4).prop_map(Step::Limits),
        1 => Just(Step::TakeOver),
    ]
}

fn steps(kind: Kind) -> BoxedStrategy<Vec<Step>> {
    let copies = prop_oneof![1 => Just(Step::Copy), 1 => any::<usize>().prop_map(Step::RestoreBackend)];
    let sites = prop_oneof![1 => Just(Step::Copy), 1 => any::<usize>().prop_map(Step::RestoreSite)];
    let both = prop_oneof![
        2 => Just(Step::Copy),
        1 => any::<usize>().prop_map(Step::RestoreBackend),
        1 => any::<usize>().prop_map(Step::RestoreSite)
    ];
    let step = match kind {
        Kind::Kills => common_step().boxed(),
        Kind::BackendRestored => prop_oneof![4 => common_step(), 1 => copies].boxed(),
        Kind::SiteRestored => prop_oneof![4 => common_step(), 1 => sites].boxed(),
        Kind::BothRestored => prop_oneof![4 => common_step(), 1 => both].boxed(),
    };
    prop::collection::vec(step, 1..20).boxed()
}

/// How many lives; `CLOISTER_LIVES` asks for more or fewer of each kind; CI for 2,500, so 10,000 in all.
fn lives(default: u32) -> u32 {
    std::env::var("CLOISTER_LIVES").ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The same lives each time, so that a change is judged by what it changes; `CLOISTER_LIVES_SEED` asks for others.
fn seed() -> RngSeed {
    let asked = std::env::var("CLOISTER_LIVES_SEED").ok().and_then(|text| text.parse().ok());
    RngSeed::Fixed(asked.unwrap_or(1))
}

fn run(kind: Kind, cases: u32, disk: bool) {
    let config =
        Config { cases, failure_persistence: None, max_shrink_iters: 300, rng_seed: seed(), ..Config::default() };
    let mut runner = TestRunner::new(config);
    let lives = (steps(kind), any::<u64>());
    runner.run(&lives, |(steps, seed)| live(kind, &steps, seed, disk).map_err(TestCaseError::fail)).unwrap();
}

#[test]
fn kills_of_either_side() {
    run(Kind::Kills, lives(500), false);
}

#[test]
fn the_backend_is_restored_to_older_copies() {
    run(Kind::BackendRestored, lives(500), false);
}

#[test]
fn the_site_is_restored_to_older_copies() {
    run(Kind::SiteRestored, lives(500), false);
}

#[test]
fn both_are_restored_to_older_copies() {
    run(Kind::BothRestored, lives(500), false);
}

/// The site returns to a copy of a history that it had left: at the place where the backend stands it has another order.
#[test]
fn the_site_returns_to_a_history_that_it_left() {
    let history = [
        Step::Wait(8),
        Step::Copy,
        Step::Copy,
        Step::Order(1),
        Step::Copy,
        Step::RestoreSite(2_265_974_977_518_801_348),
        Step::Order(1),
        Step::Wait(3000),
        Step::RestoreSite(33_977_579_367_688_355),
    ];
    live(Kind::SiteRestored, &history, 3_981_739_625_013_514, false).unwrap();
}

/// The same with the real record on the disk.
#[test]
fn kills_with_the_record_on_the_disk() {
    run(Kind::Kills, lives(500) / 20, true);
}
