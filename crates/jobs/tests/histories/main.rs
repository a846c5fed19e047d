//! Random histories of requests, cancels, failures and modes: planning and scheduling against a model that is nothing but
//! lists (spec jobs.md 3, 5-8, 25). `CLOISTER_HISTORIES` says how many; `scripts/soak` asks for a million.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

#[path = "../common/mod.rs"]
mod common;

mod chance;
mod fairness;
mod model;
mod world;

use chance::Chance;

const IN_CI: u64 = 4_000;

#[test]
fn no_history_breaks_a_rule() {
    let count = std::env::var("CLOISTER_HISTORIES").ok().map_or(IN_CI, |count| count.parse().unwrap());
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) as u64;
    let seen = std::thread::scope(|scope| {
        let part = |first: u64| {
            scope.spawn(move || {
                let mut seen = world::Seen::default();
                for seed in (first..count).step_by(threads as usize) {
                    world::live(Chance::new(seed), &mut seen);
                }
                seen
            })
        };
        let parts: Vec<_> = (0..threads).map(part).collect();
        parts.into_iter().map(|part| part.join().unwrap()).fold(world::Seen::default(), world::Seen::and)
    });
    println!("{count} histories: {seen:?}");
    // What never happens is not tested.
    assert!(seen.all_happened(), "{seen:?}");
}
