//! The table of scheduling: one wake of a full queue, a plan stored, chains, a crowd, a cancel, and doing nothing.
//! Goals of spec jobs.md 24; the figures of today are those that it gives.

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jobs::schedule::{Capacity, Entry, Moment, Pace, Pool, Queue, Weight};
use jobs::state::State;
use jobs::{JobId, RequestId};
use pipeline::ActionName;

use crate::clock::Times;
use crate::running::{Rig, fast_folder, median};
use crate::{Setup, history};

/// Prints it.
pub(crate) fn table(setup: &Setup) -> Result<(), Box<dyn Error>> {
    println!("\n| scheduling | measured | goal | today |");
    println!("|---|---|---|---|");
    let wake = wake();
    println!("| 1,000 queued jobs that cannot start, one wake | {wake:.2} ms | 10 ms | 900 to 1,300 ms |");
    let stored = stored()?;
    println!("| 2,000 jobs of a plan stored | {stored:.0} ms | 300 ms | 1,300 to 2,000 ms |");
    for (count, goal, today) in [(4, 600, "27.8 s"), (5, 750, "15.5 s")] {
        let rig = Rig::of(setup, &format!("chain{count}"), &chain(count, "pass"))?;
        let time = median(9, || rig.run(&["run_all", "-f"]))?;
        println!("| a chain of {count} trivial jobs | {time:.0} ms | {goal} ms | {today} |");
    }
    let crowd: String = (0..1000).map(|n| action(&format!("a{n}"), "", "pass")).collect();
    let rig = Rig::of(setup, "crowd", &crowd)?;
    let (time, peak) = watched(rig.start(&["run_all", "-c", "4", "--progress", "none"])?)?;
    println!(
        "| 1,000 queued trivial jobs, 4 at a time: all finish in {time:.1} s, most memory | {peak} MB | 150 MB | |"
    );
    let rig = Rig::of(setup, "sleeper", &chain(1, "import time; time.sleep(600)"))?;
    let time = median(5, || cancelled(&rig))?;
    println!(
        "| cancel of a running job that heeds TERM, to its end | {time:.0} ms | 1,000 ms | several passes of a loop |"
    );
    println!("| a run that only waits, share of a core | {:.3} % | 0.1 % | polls each second |", idle(&rig)?);
    Ok(())
}

fn wake() -> f64 {
    let one = Weight::ONE;
    let mut queue = Queue::new(Capacity { db: one, other: one, together: None }, Pace::default());
    for n in 0..1001_u32 {
        let mut bytes = [0; 10];
        bytes[..4].copy_from_slice(&n.to_be_bytes());
        let workspace = format!("w{}", n % 50);
        let Ok(workspace) = workspace.parse() else { continue };
        queue.add(Entry {
            job: JobId::of(&RequestId::from_random(bytes), &ActionName::new("a")),
            workspace,
            pool: Pool::Other,
            weight: one,
            seq: n.into(),
            needs: Vec::new(),
            not_before: None,
            held: None,
            for_reboot: false,
        });
    }
    queue.start_next(Moment(1));
    let times = Times::of(|| {
        std::hint::black_box(queue.start_next(Moment(2)));
        std::hint::black_box(queue.standings(Moment(2)));
    });
    times.median_ms()
}

fn stored() -> Result<f64, Box<dyn Error>> {
    let folder = fast_folder()?;
    let names: Vec<ActionName> = (0..2000).map(|n| ActionName::new(format!("a{n}"))).collect();
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let state = State::open(&folder.path().join("state.sqlite")).await?;
        let mut times = Vec::new();
        for _ in 0..5 {
            let (request, jobs) = history::planned(&names)?;
            let seen = state.latest_jobs(&request.workspace, &names).await?;
            let begin = Instant::now();
            state.record_plan(&request, &jobs, &seen, Timestamp::now()).await?;
            times.push(begin.elapsed().as_secs_f64() * 1e3);
            state.interrupt_leftovers(Timestamp::now()).await?;
        }
        times.sort_by(f64::total_cmp);
        Ok(times[times.len() / 2])
    })
}

fn action(name: &str, needs: &str, code: &str) -> String {
    format!(
        "  {name}:\n    needs: [{needs}]\n    run: python:v2 -c \"open('output/{name}.txt', 'w'); {code}\"\n    outputs:\n      moderately_sensitive: {{o: output/{name}.txt}}\n"
    )
}

fn chain(count: usize, code: &str) -> String {
    let need = |n: usize| n.checked_sub(1).map_or_else(String::new, |before| format!("c{before}"));
    (0..count).map(|n| action(&format!("c{n}"), &need(n), code)).collect()
}

/// Runs to the end; gives the seconds and the most memory of the program itself, in MB.
fn watched(mut child: Child) -> Result<(f64, u64), Box<dyn Error>> {
    let begin = Instant::now();
    let mut peak = 0;
    loop {
        if let Some(ended) = child.try_wait()? {
            if !ended.success() {
                return Err("the crowd did not succeed".into());
            }
            return Ok((begin.elapsed().as_secs_f64(), peak / 1024));
        }
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let high = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.trim().parse().ok());
        peak = peak.max(high.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Waits until the job runs, and half a second more.
fn running(rig: &Rig) -> Result<Child, Box<dyn Error>> {
    let log = PathBuf::from(format!("{}.log", rig.folder.display()));
    let out = fs::File::create(&log)?;
    let child = rig.command(&["run_all", "-f"]).stdin(Stdio::null()).stdout(out).stderr(Stdio::null()).spawn()?;
    while !fs::read_to_string(&log)?.contains("c0: executing") {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(500));
    Ok(child)
}

fn cancelled(rig: &Rig) -> Result<f64, Box<dyn Error>> {
    let mut child = running(rig)?;
    let begin = Instant::now();
    Command::new("kill").args(["-INT", &child.id().to_string()]).status()?;
    child.wait()?;
    Ok(begin.elapsed().as_secs_f64() * 1e3)
}

/// Processor time of the program over ten seconds in which its one job sleeps.
fn idle(rig: &Rig) -> Result<f64, Box<dyn Error>> {
    let mut child = running(rig)?;
    let ticks = || -> Result<f64, Box<dyn Error>> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", child.id()))?;
        let after = stat.rsplit_once(')').ok_or("no stat")?.1;
        let fields: Vec<f64> =
            after.split_whitespace().skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
        Ok(fields.iter().sum())
    };
    let before = ticks()?;
    std::thread::sleep(Duration::from_secs(20));
    let share = (ticks()? - before) / 100.0 / 20.0 * 100.0;
    Command::new("kill").args(["-INT", &child.id().to_string()]).status()?;
    child.wait()?;
    Ok(share)
}
