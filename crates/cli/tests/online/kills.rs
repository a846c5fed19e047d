//! `kill -9` of site, backend and supervisors while requests come in, are cancelled and run: at random instants and at
//! every named place. Afterwards nothing is lost and nothing doubled, and all records say the same. Spec protocol.md 7.3.
//! `CLOISTER_ONLINE_KILLS` says how many; `scripts/soak` asks for 300.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::places::{BACKEND, BACKEND_AT_ANY, OFTEN, SITE, SITE_AT_ANY, Tally};
use crate::rig::{House, can_isolate, until};
use crate::tables::number;
use crate::whole::{quiet, whole};
use crate::wire::Answer;

const IN_CI: usize = 15;
/// From so many on, each place must have had its kill.
const MANY: usize = 150;

const ACTIONS: &str = "  first:
    run: python:v2 analysis/work.py first
    outputs:
      moderately_sensitive: {o: output/first.txt}
  second:
    needs: [first]
    run: python:v2 analysis/work.py second
    outputs:
      moderately_sensitive: {o: output/second.txt}
  fails:
    run: python:v2 analysis/work.py fails
    outputs:
      moderately_sensitive: {o: output/fails.txt}
  long:
    run: python:v2 analysis/work.py long
    outputs:
      moderately_sensitive: {o: output/long.txt}
  endless:
    run: python:v2 analysis/work.py endless
    outputs:
      moderately_sensitive: {o: output/endless.txt}
";

const WORK: &str = "import sys, time\n\
    what = sys.argv[1]\n\
    time.sleep({'long': 4, 'endless': 3600}.get(what, 0.2))\n\
    if what == 'fails':\n    sys.exit(3)\n\
    open(f'output/{what}.txt', 'w').write('done')\n";

/// What is asked for, and the jobs that it is.
const LOADS: [(&[&str], &[&str]); 4] = [
    (&["second"], &["first", "second"]),
    (&["fails", "first"], &["fails", "first"]),
    (&["long"], &["long"]),
    (&["second", "endless"], &["endless", "first", "second"]),
];
/// The one that passes every place.
const WHOLE: usize = 3;

/// A request that was made.
pub struct Asked {
    pub workspace: String,
    /// Its actions, sorted.
    pub jobs: &'static [&'static str],
}

struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    fn rest(&mut self, below: u64) {
        std::thread::sleep(Duration::from_millis(self.below(below)));
    }
}

struct Storm {
    house: House,
    chance: Chance,
    tally: Tally,
    names: std::vec::IntoIter<String>,
    asked: BTreeMap<i64, Asked>,
    /// Requests whose endless job is to be cancelled.
    endless: Vec<i64>,
    cancelled: usize,
    both: usize,
    rounds: usize,
    lost: usize,
}

impl Storm {
    fn kill_site(&mut self) {
        let place = self.house.kill_site();
        self.tally.note(place.as_deref().unwrap_or(SITE_AT_ANY));
    }

    fn kill_backend(&mut self) {
        let place = self.house.kill_backend();
        self.tally.note(place.as_deref().unwrap_or(BACKEND_AT_ANY));
    }

    /// Starts again what has died.
    fn revive_site(&mut self) {
        if !self.house.has_site() {
            if let Some(place) = self.house.kill_site() {
                self.tally.note(&place);
            }
            self.house.start_site();
        }
    }

    fn revive_backend(&mut self) {
        if !self.house.has_backend() {
            if let Some(place) = self.house.kill_backend() {
                self.tally.note(&place);
            }
            self.house.start_backend();
        }
    }

    /// Asks until the site has answered, as a program does that must know.
    fn insist(&mut self, what: impl Fn(&House) -> std::io::Result<Answer>) -> Answer {
        let begin = Instant::now();
        loop {
            self.revive_site();
            if let Ok(answer) = what(&self.house)
                && answer.status != 503
            {
                return answer;
            }
            assert!(begin.elapsed() < Duration::from_secs(60), "the site does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn request(&mut self, load: usize) -> i64 {
        let workspace = self.names.next().expect("there are as many workspaces as requests");
        let (actions, jobs) = LOADS[load];
        // The answer may be lost behind the commit: a kill while it is asked.
        if self.chance.below(5) == 0 && self.house.has_site() {
            let wait = Duration::from_millis(self.chance.below(60));
            let (at, headers, body) = self.house.asking(&workspace, actions);
            std::thread::scope(|scope| {
                scope.spawn(|| crate::wire::ask(at, "POST", "/api/v1/job-requests", &headers, &body));
                std::thread::sleep(wait);
                self.kill_site();
            });
        }
        let answer = self.insist(|house| {
            let (at, headers, body) = house.asking(&workspace, actions);
            crate::wire::ask(at, "POST", "/api/v1/job-requests", &headers, &body)
        });
        assert!(matches!(answer.status, 200 | 201), "{} {}", answer.status, answer.body);
        let number = answer.json()["number"].as_i64().unwrap();
        let before = self.asked.insert(number, Asked { workspace, jobs });
        assert!(before.is_none(), "two requests are one");
        if jobs.contains(&"endless") {
            self.endless.push(number);
        }
        number
    }

    fn cancel(&mut self) {
        if self.endless.is_empty() {
            return;
        }
        let number = self.endless.remove(0);
        let path = format!("/api/v1/job-requests/{number}/cancel");
        let answer = self.insist(|house| house.ask("POST", &path, "cancel", r#"{"actions":["endless"]}"#));
        assert_eq!(answer.status, 202, "{}", answer.body);
        self.cancelled += 1;
    }

    fn passing(&mut self, place: &str) -> String {
        let most = if OFTEN.contains(&place) { 4 } else { 1 };
        format!("{place}:{}", 1 + self.chance.below(most))
    }

    /// Site, backend or both die, at a place or at an instant.
    fn round(&mut self) {
        self.rounds += 1;
        let both = self.rounds.is_multiple_of(3);
        let (site, backend) = if both { (true, true) } else { (self.rounds % 3 == 1, self.rounds % 3 == 2) };
        self.both += usize::from(both);
        if self.chance.below(2) == 0 {
            let load = usize::try_from(self.chance.below(LOADS.len() as u64)).unwrap();
            self.request(load);
        }
        if self.chance.below(3) == 0 || self.endless.len() > 1 {
            self.cancel();
        }
        if self.chance.below(3) < 2 {
            self.at_places(site, backend);
        } else {
            self.chance.rest(1500);
        }
        // Whoever has not died yet dies now. With the backend its machine, at times.
        let site_first = self.chance.below(2) == 0;
        if site && site_first {
            self.kill_site();
        }
        if backend {
            self.kill_backend();
            if self.chance.below(3) == 0 {
                self.lost += self.house.lose_attempts("-001");
            }
        }
        if site && !site_first {
            self.kill_site();
        }
        self.chance.rest(300);
        if self.chance.below(2) == 0 {
            self.revive_site();
            self.chance.rest(200);
            self.revive_backend();
        } else {
            self.revive_backend();
            self.chance.rest(200);
            self.revive_site();
        }
    }

    /// Work that is new to both, so that they pass wherever they are to die.
    fn at_places(&mut self, site: bool, backend: bool) {
        let turn = self.rounds;
        if backend {
            let place = self.tally.least(&BACKEND, turn);
            let place = self.passing(place);
            self.kill_backend();
            self.house.arm_backend(Some(&place));
        }
        if site {
            let place = self.tally.least(&SITE, turn);
            let place = self.passing(place);
            self.kill_site();
            self.house.arm_site(Some(&place));
        }
        self.request(WHOLE);
        self.chance.rest(400);
        self.cancel();
        // The first death is enough: without the other one the survivor passes few places.
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(6)
            && (!site || self.house.site_is_to_die())
            && (!backend || self.house.backend_is_to_die())
        {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn nothing_is_lost_or_doubled_by_kills() {
    if !can_isolate() {
        return;
    }
    let kills: usize = std::env::var("CLOISTER_ONLINE_KILLS").ok().map_or(IN_CI, |count| count.parse().unwrap());
    let seed = std::env::var("CLOISTER_SEED").ok().map_or(20_260_101, |seed| seed.parse().unwrap());
    let workspaces: Vec<String> = (0..2 * kills + 1).map(|n| format!("kills-{n}")).collect();
    let mut house = House::of(ACTIONS, &[("analysis/work.py", WORK)], &workspaces);
    house.workers = 4;
    house.start_site();
    house.enrol(house.site_at);
    house.start_backend();
    until("the backend is heard of", 60, || number(&house.at_site(), "SELECT count(*) FROM backend_fact") > 0);
    let mut storm = Storm {
        house,
        chance: Chance(seed),
        tally: Tally::default(),
        names: workspaces.into_iter(),
        asked: BTreeMap::new(),
        endless: Vec::new(),
        cancelled: 0,
        both: 0,
        // Where in the lists a short run begins depends on the seed.
        rounds: usize::try_from(seed % 9).unwrap() * 3,
        lost: 0,
    };
    let first = storm.rounds;
    let missed = |tally: &Tally| SITE.iter().chain(&BACKEND).any(|place| tally.of(place) == 0);
    while storm.tally.all() < kills || kills >= MANY && missed(&storm.tally) && storm.rounds - first < kills {
        storm.round();
    }
    // A request made when all is well again, so that there is at least one.
    storm.request(WHOLE);
    while !storm.endless.is_empty() {
        storm.cancel();
    }
    let Storm { mut house, tally, asked, cancelled, both, rounds, lost, .. } = storm;
    tally.print();
    println!(
        "{} kills in {} rounds, {both} of them of both; {lost} attempts lost with their supervisor; {} requests, {cancelled} \
         cancels (seed {seed})",
        tally.all(),
        rounds - first,
        asked.len()
    );
    assert!(3 * both + 3 > rounds - first, "a third of the rounds hits both");
    let at_places = SITE.iter().chain(&BACKEND).filter(|place| tally.of(place) > 0).count();
    assert!(at_places > 0, "no place was passed: nothing is tried there");
    if kills >= MANY {
        assert!(!missed(&tally), "nothing died at a place of the table");
    }
    quiet(&house, &asked);
    let found = whole(&mut house, &asked, cancelled);
    println!("{} jobs: none lost, none doubled; {} second attempts, each with its reason", found.jobs, found.again);
    if kills >= MANY {
        assert!(found.again > 10, "only {} second attempts", found.again);
    }
}
