//! Every page in every state, light and dark, on a phone and on a wide screen: the checker of accessibility finds nothing,
//! nothing sticks out, no policy is broken. Spec site.md 15.

use crate::driver::Scheme;
use crate::street::Street;
use crate::visits;

/// The checker's work is most of the time of all tests: two browsers share it.
async fn look(half: usize) {
    let street = Street::open(&crate::gallery::SITES, async |_| {}).await;
    street.browser.bring_checker().await;
    let mut found = Vec::new();
    let all = visits::all();
    // What forms change is changed for both alike: neighbours stay together.
    let (first, second) = all.split_at(all.len() / 2);
    for visit in if half == 0 { first } else { second } {
        let status = street.visit(visit).await;
        if status != u64::from(visit.status) {
            found.push(format!("{}: {status}", visit.line));
        }
        for scheme in [Scheme::Light, Scheme::Dark] {
            for width in [320, 1280] {
                street.browser.look(width, scheme).await;
                let wrong = match scheme {
                    Scheme::Light => street.browser.violations().await,
                    Scheme::Dark => street.browser.violations_of_colour().await,
                };
                found.extend(wrong.into_iter().map(|line| format!("{} {scheme:?} {width}: {line}", visit.line)));
            }
        }
        found.extend(street.complaints().await.into_iter().map(|line| format!("{}: {line}", visit.line)));
    }
    assert!(found.is_empty(), "{} faults:\n{}", found.len(), found.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_checker_finds_nothing_on_the_first_half_of_all_pages() {
    look(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_checker_finds_nothing_on_the_second_half_of_all_pages() {
    look(1).await;
}
