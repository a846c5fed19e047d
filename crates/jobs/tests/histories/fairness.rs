//! What fairness promises, each as a small schedule in virtual time (spec jobs.md 5).

use std::time::Duration;

use jobs::schedule::{Capacity, Entry, Moment, Pace, Pool, Queue, Weight};
use jobs::{JobId, RequestId};
use pipeline::ActionName;

const MINUTE: Duration = Duration::from_secs(60);

fn queue(workers: u32) -> Queue {
    let workers = Weight::workers(workers);
    Queue::new(Capacity { db: workers, other: workers, together: None }, Pace::default())
}

/// The `n`-th job there is.
fn entry(n: u32, workspace: &str) -> Entry {
    let mut bytes = [0; 10];
    bytes[..4].copy_from_slice(&n.to_be_bytes());
    Entry {
        job: JobId::of(&RequestId::from_random(bytes), &ActionName::new("a")),
        workspace: workspace.parse().unwrap(),
        pool: Pool::Other,
        weight: Weight::ONE,
        seq: n.into(),
        needs: Vec::new(),
        not_before: None,
        held: None,
        for_reboot: false,
    }
}

fn at(minutes: u32) -> Moment {
    Moment(1) + MINUTE * minutes
}

#[test]
fn a_newcomer_gets_the_next_free_worker_against_a_long_queue() {
    let mut queue = queue(2);
    (0..50).for_each(|n| queue.add(entry(n, "busy")));
    let first = queue.start_next(at(0)).unwrap();
    assert_eq!(queue.start_next(at(0)), Some(entry(1, "busy").job));
    queue.add(entry(90, "newcomer"));
    assert_eq!(queue.start_next(at(1)), None);
    queue.succeeded(first);
    assert_eq!(queue.start_next(at(1)), Some(entry(90, "newcomer").job));
}

#[test]
fn who_is_served_gathers_no_age() {
    let mut queue = queue(1);
    (0..200).for_each(|n| queue.add(entry(n, "busy")));
    // A day of jobs of an hour each, all of one workspace.
    for hour in 0..24 {
        let started = queue.start_next(at(hour * 60)).unwrap();
        queue.succeeded(started);
    }
    let running = queue.start_next(at(24 * 60)).unwrap();
    queue.add(entry(900, "newcomer"));
    queue.succeeded(running);
    assert_eq!(
        queue.start_next(at(24 * 60 + 1)),
        Some(entry(24 + 1, "busy").job),
        "both have nothing running: the older"
    );
}

#[test]
fn nobody_waits_for_ever_behind_newcomers() {
    let mut queue = queue(2);
    // One worker is held for long by the same workspace, so it ranks behind whoever has nothing running.
    queue.add(entry(0, "patient"));
    queue.start_next(at(0)).unwrap();
    queue.add(entry(1, "patient"));
    for minute in 0..600 {
        queue.add(entry(100 + minute, &format!("new{minute}")));
        let started = queue.start_next(at(minute)).unwrap();
        if started == entry(1, "patient").job {
            // One running job is worth one hour; equal ranks go by age.
            assert_eq!(minute, 60, "sixty newcomers were faster");
            return;
        }
        queue.succeeded(started);
    }
    panic!("it never started");
}

#[test]
fn a_heavy_job_gets_its_workers_after_the_reservation() {
    let mut queue = queue(2);
    queue.add(entry(0, "light"));
    let mut running = vec![queue.start_next(at(0)).unwrap()];
    queue.add(Entry { weight: Weight::workers(2), ..entry(1, "heavy") });
    for minute in 1..60 {
        queue.add(entry(100 + minute, &format!("new{minute}")));
        let started = queue.start_next(at(minute));
        if minute <= 10 {
            // It is the oldest of those with nothing running; the rest go round it.
            assert_eq!(started, Some(entry(100 + minute, &format!("new{minute}")).job), "minute {minute}");
            queue.succeeded(running.remove(0));
            running.extend(started);
        } else if minute == 11 {
            assert_eq!(started, None, "ten minutes after it first did not fit, nothing else starts");
            queue.succeeded(running.remove(0));
        } else {
            assert_eq!(started, Some(entry(1, "heavy").job));
            return;
        }
    }
    panic!("it never started");
}

#[test]
fn a_job_heavier_than_the_capacity_runs_alone() {
    let mut queue = queue(2);
    queue.add(Entry { weight: Weight::workers(9), ..entry(0, "heavy") });
    queue.add(entry(1, "light"));
    assert_eq!(queue.start_next(at(0)), Some(entry(0, "heavy").job));
    assert_eq!(queue.start_next(at(0)), None);
    queue.succeeded(entry(0, "heavy").job);
    assert_eq!(queue.start_next(at(0)), Some(entry(1, "light").job));
}

#[test]
fn database_jobs_come_first_and_have_workers_of_their_own() {
    let mut queue = queue(1);
    queue.add(entry(0, "w"));
    queue.add(Entry { pool: Pool::Db, ..entry(1, "w") });
    assert_eq!(queue.start_next(at(0)), Some(entry(1, "w").job));
    assert_eq!(queue.start_next(at(0)), Some(entry(0, "w").job));
}
