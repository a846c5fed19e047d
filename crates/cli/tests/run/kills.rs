//! `kill -9` at random instants of a pipeline of thirty jobs, spread over every step of spec jobs.md 9: afterwards the
//! bytes are those of a run that nobody killed, and nothing is left on the machine.
//! `CLOISTER_KILLS` says how many; `scripts/soak` asks for 300.

use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::rig::{Study, soon};

const IN_CI: usize = 30;
/// Each row of the spec's table, with the places within it.
const STEPS: [(&str, &[&str]); 9] = [
    ("1-2 plan", &["plan.before", "plan.after"]),
    ("3 claim", &["claim.before", "claim.after"]),
    ("4 prepare", &["prepare.before", "prepare.after"]),
    ("5 launch", &["launch.before", "launch.after"]),
    ("6 exit", &["exit.after"]),
    ("7 collect", &["collect.before", "collect.inside", "collect.after"]),
    ("8 result", &["result.before", "result.after"]),
    ("9 publish", &["publish.before", "publish.after"]),
    ("10 clean up", &["clean.after"]),
];

/// Five layers of six; each action reads what two of the layer before made.
fn pipeline(mark: &str) -> Study {
    let action = |layer: usize, n: usize| {
        let needs: Vec<_> = match layer {
            0 => Vec::new(),
            _ => vec![format!("a{}_{n}", layer - 1), format!("a{}_{}", layer - 1, (n + 1) % 6)],
        };
        let list = needs.join(", ");
        format!(
            "  a{layer}_{n}:\n    needs: [{list}]\n    run: python:v2 analysis/work.py {mark} a{layer}_{n} {}\n    outputs:\n      moderately_sensitive: {{o: output/a{layer}_{n}.txt}}\n",
            needs.join(" ")
        )
    };
    let actions: String = (0..5).flat_map(|layer| (0..6).map(move |n| action(layer, n))).collect();
    let work = "import sys, hashlib\n\
        name, needs = sys.argv[2], sys.argv[3:]\n\
        parts = [open(f'output/{need}.txt').read() for need in needs]\n\
        open(f'output/{name}.txt', 'w').write(name + ' ' + hashlib.sha256(''.join(parts).encode()).hexdigest() * 20)\n";
    Study::of(&actions, &[("analysis/work.py", work)])
}

fn outputs(study: &Study) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(study.folder.join("output")).unwrap().flatten();
    entries.map(|e| (e.file_name().into_string().unwrap(), fs::read(e.path()).unwrap())).collect()
}

/// Processes that carry this argument, or work for this folder of sandboxes.
fn processes(mark: &str, runs: &str) -> Vec<String> {
    let all = fs::read_dir("/proc").unwrap().flatten();
    let words = all.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    let words = words.map(|bytes| String::from_utf8_lossy(&bytes).replace('\0', " "));
    words.filter(|line| line.contains(mark) || line.contains(runs)).collect()
}

fn mounts(runs: &str) -> usize {
    fs::read_to_string("/proc/self/mountinfo").unwrap().lines().filter(|line| line.contains(runs)).count()
}

/// Control groups named after a job of this study.
fn groups(jobs: &[String]) -> usize {
    let mut found = 0;
    let mut below = vec![std::path::PathBuf::from("/sys/fs/cgroup")];
    while let Some(folder) = below.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                let name = entry.file_name().to_string_lossy().into_owned();
                found += usize::from(jobs.iter().any(|job| name.contains(job.as_str())));
                below.push(entry.path());
            }
        }
    }
    found
}

struct Chance(u64);

impl Chance {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n.max(1)
    }
}

/// Runs the pipeline until it is killed: at a named place, or after a while; gives the last place that it passed.
fn kill_one(study: &Study, place: Option<String>, after: Duration) -> Option<String> {
    let trace = study.folder.parent().unwrap().join("trace");
    let _ = fs::remove_file(&trace);
    let mut command = study.command(&["run", "run_all", "-c", "4"]);
    command.env("CLOISTER_FAULT_TRACE", &trace).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match &place {
        Some(place) => drop(command.env("CLOISTER_FAULT", format!("kill@{place}"))),
        None => drop(command.env_remove("CLOISTER_FAULT")),
    }
    let mut child = command.spawn().unwrap();
    if place.is_none() {
        std::thread::sleep(after);
        let _ = child.kill();
    }
    let ended = child.wait().unwrap();
    if ended.success() {
        return None;
    }
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&ended), Some(9), "{place:?}: {ended:?}");
    fs::read_to_string(&trace).ok()?.lines().last().map(str::to_owned)
}

#[test]
fn a_kill_at_any_step_changes_no_byte_and_leaves_nothing() {
    let kills: usize = std::env::var("CLOISTER_KILLS").ok().map_or(IN_CI, |count| count.parse().unwrap());
    let seed = std::env::var("CLOISTER_SEED").ok().map_or(20_260_101, |seed| seed.parse().unwrap());
    let mut chance = Chance(seed);
    let mark = format!("kills-{}", std::process::id());
    let study = pipeline(&mark);
    let begin = Instant::now();
    study.run(&["run_all", "-c", "4"]).done().says("30 jobs succeeded");
    let usual = begin.elapsed();
    let whole = outputs(&study);
    assert_eq!(whole.len(), 30);
    let runs = study.runs().to_string_lossy().into_owned();
    let places: Vec<&str> = STEPS.iter().flat_map(|(_, places)| places.iter().copied()).collect();
    let mut histogram: BTreeMap<&str, usize> = BTreeMap::new();
    let mut done = 0;
    while done < kills {
        // Everything anew, so that every kill has thirty jobs before it.
        for folder in ["output", "metadata"] {
            let _ = fs::remove_dir_all(study.folder.join(folder));
        }
        // Two of three kills at a place, which the plan passes once and each job once; the rest at any instant.
        let at_instant = done % 3 == 2;
        let place = (!at_instant).then(|| {
            let place = places[done * 2 / 3 % places.len()];
            let times = if place.starts_with("plan") { 1 } else { 30 };
            format!("{place}:{}", 1 + chance.below(times))
        });
        let after = usual.mul_f64(chance.below(1000) as f64 / 1000.0);
        let Some(last) = kill_one(&study, place.clone(), after) else { continue };
        done += 1;
        let step = STEPS.iter().find(|(_, places)| places.contains(&last.as_str())).map_or("0 start", |(step, _)| step);
        *histogram.entry(step).or_default() += 1;
        // Every third time the run that repairs is killed as well.
        if chance.below(3) == 0 {
            let place = places[chance.below(places.len())];
            kill_one(&study, Some(format!("{place}:{}", 1 + chance.below(10))), Duration::ZERO);
        }
        let what = place.unwrap_or_else(|| format!("after {after:?}"));
        assert!(soon(|| processes(&mark, &runs).is_empty()), "kill {done} at {what}: {:?}", processes(&mark, &runs));
        let next = study.run(&["run_all", "-c", "4"]);
        assert_eq!(next.code, Some(0), "kill {done} at {what}:\n{}\n{}", next.out, next.err);
        let (now, names) = (outputs(&study), |all: &BTreeMap<String, _>| all.keys().cloned().collect::<Vec<_>>());
        assert_eq!(names(&now), names(&whole), "kill {done} at {what}");
        for (name, bytes) in &now {
            assert!(bytes == &whole[name], "kill {done} at {what}: other bytes in {name}");
        }
        assert_eq!(study.volumes(), 0, "kill {done} at {what}: a folder is left");
        assert!(soon(|| processes(&mark, &runs).is_empty()), "kill {done} at {what}: a process is left");
        assert_eq!(mounts(&runs), 0, "kill {done} at {what}: a mount is left");
        if done % 10 == 0 || done == kills {
            study.run(&["run_all"]).done().says("nothing to run");
            study.cloister(&["backend", "verify"]).done();
        }
        let listed = study.cloister(&["backend", "jobs", "--json", "-n", "200"]).done().out;
        let jobs: Vec<serde_json::Value> = serde_json::from_str(&listed).unwrap();
        let ids: Vec<_> = jobs.iter().map(|job| job["job"].as_str().unwrap().to_owned()).collect();
        assert_eq!(groups(&ids), 0, "kill {done} at {what}: a control group is left");
        let mut ended: BTreeMap<&str, usize> = BTreeMap::new();
        for job in jobs.iter().filter(|job| job["state"] == "succeeded") {
            *ended.entry(job["action"].as_str().unwrap()).or_default() += 1;
        }
        assert!(ended.values().all(|n| *n == 1), "kill {done} at {what}: {ended:?}");
    }
    println!("{kills} kills by the last place passed (seed {seed}): {histogram:?}");
    if kills >= 300 {
        for (step, _) in STEPS {
            assert!(histogram.get(step).is_some_and(|n| *n >= 5), "too few kills at {step}: {histogram:?}");
        }
    }
}
