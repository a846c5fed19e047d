//! The table of freshness: how long a change inside the backend takes to an open page, and an order to the backend.
//! Site and backend talk over a real connection; what is measured is wall-clock time. Goals: spec protocol.md 11.

mod stream;
mod town;

use std::error::Error;
use std::time::{Duration, Instant};

use protocol::directive::DirectiveBody;
use serde_json::json;

use self::stream::Stream;
use self::town::Town;
use crate::Setup;

/// Jobs of each request: as many as the page of the goals has.
const JOBS: usize = 13;
/// Requests whose jobs begin and end while others do; 26 changes each.
const BUSY: i64 = 10;
/// Requests before each of whose changes nothing happened for a second.
const QUIET: i64 = 3;
const ORDERS: usize = 200;

/// Prints it.
pub(crate) fn table(setup: &Setup) -> Result<(), Box<dyn Error>> {
    let threads = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let printed = threads.block_on(print(setup));
    threads.shutdown_background();
    printed
}

async fn print(setup: &Setup) -> Result<(), Box<dyn Error>> {
    let town = Town::open(&setup.folder.path().join("freshness")).await?;
    let (mut busy, mut quiet) = (Vec::new(), Vec::new());
    for number in 1..=BUSY + QUIET {
        let is_quiet = number > BUSY;
        let times = changes(&town, number, is_quiet).await?;
        if is_quiet { quiet.extend(times) } else { busy.extend(times) }
    }
    let orders = orders(&town).await?;
    println!("\n| freshness, wall-clock ms | of | p50 | p95 | longest | goal (p95) |");
    println!("|---|---|---|---|---|---|");
    let row = |what: &str, mut times: Vec<Duration>, goal: &str| {
        times.sort();
        let at = |share: usize| {
            let place = (times.len() * share).div_ceil(100).saturating_sub(1);
            times.get(place).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
        };
        println!("| {what} | {} | {:.0} | {:.0} | {:.0} | {goal} |", times.len(), at(50), at(95), at(100));
    };
    row("a fact's commit → the open page, several changes a second", busy, "1,000");
    row("a fact's commit → the open page, after a quiet second", quiet, "500");
    row("an order's commit → stored at the backend", orders, "100");
    println!("Today: up to 60,000 of the site's polling, and loops of 5,000 inside.");
    Ok(())
}

/// Begins and ends every job of a request, and waits for each of these changes on its page.
async fn changes(town: &Town, number: i64, is_quiet: bool) -> Result<Vec<Duration>, Box<dyn Error>> {
    let actions: Vec<String> = (0..JOBS).map(|n| format!("act_{n}")).collect();
    let page = town.request(number, &actions).await?;
    let mut stream = Stream::open(town.at, &format!("{page}events")).await?;
    let mut made = Vec::new();
    for (kind, word) in [("job.started", "Running"), ("job.finished", "Succeeded")] {
        for action in &actions {
            // At random, so that no change falls in with the beat of the page.
            let rest = if is_quiet { 1_100 + town::below(500)? } else { 50 + town::below(300)? };
            tokio::time::sleep(Duration::from_millis(rest)).await;
            let job = town.tell(number, action, kind).await?;
            made.push((job, word, Instant::now()));
        }
    }
    let mut times = Vec::new();
    for (job, word, at) in made {
        let seen = stream.shown(&job, word).await?;
        times.push(seen.saturating_duration_since(at));
    }
    Ok(times)
}

/// Puts directives into the backend's line and waits for each in its record.
async fn orders(town: &Town) -> Result<Vec<Duration>, Box<dyn Error>> {
    let wish = json!({ "wish": "pause", "by": "sample-r", "reason": "maintenance" });
    let body = DirectiveBody::PauseWish(serde_json::from_value(wish)?);
    let mut arrived = town.log.arrived();
    let mut times = Vec::new();
    for _ in 0..ORDERS {
        tokio::time::sleep(Duration::from_millis(20 + town::below(80)?)).await;
        let cursor = town.order(&body).await?;
        let made = Instant::now();
        tokio::time::timeout(Duration::from_secs(30), arrived.wait_for(|at| *at >= cursor)).await??;
        times.push(made.elapsed());
    }
    Ok(times)
}
