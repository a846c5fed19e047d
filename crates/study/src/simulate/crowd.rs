//! Candidates one after the other until the population has as many patients as are wanted.
//! Spec study-definitions.md 10.2.4.

use std::collections::BTreeSet;
use std::ops::Range;

use query::Graph;
use query::reference::{PatientRow, RunFault};

use super::person::Person;
use super::scene::Scene;
use super::store::Store;
use super::{ValueFiles, answer, fits, parallel, plant, with_files};

/// Candidates per patient wanted at most.
const CANDIDATES: u64 = 20;

/// People per patient wanted that are looked at for candidates, at most: those that cannot be inside cost little.
const RARE: u64 = 400;

/// People that are looked at before it is said that nobody can be inside.
const NOBODY: u64 = 20_000;

/// Patients whose tables are made and asked at once.
const TOGETHER: u64 = 500;

/// Patients, times index dates, whose answers are held at once.
const HELD: u64 = 40_000;

/// People that are looked at before the first batch.
const SAMPLE: u64 = 512;

pub(super) struct Crowd<'s, 'a> {
    scene: &'s Scene<'a>,
    graph: &'s Graph,
    files: &'s ValueFiles,
    wanted: u64,
    /// People of the seed that were looked at.
    scanned: u64,
    /// Of them those whom the study takes.
    pub(super) looked: u64,
    /// Of them those that may be inside, as far as they can be known before anything happens to them.
    fitting: u64,
    /// Of them those in the population.
    pub(super) inside: u64,
    kept: Vec<u64>,
    /// Some that are outside.
    pub(super) missed: Vec<u64>,
    /// Share of the scanned that are planted and may be inside.
    rate: f64,
}

/// Rows of files by the place of their index date.
pub(super) type Dated = Vec<(usize, Vec<PatientRow>)>;

/// What became of a range of people.
struct Part {
    looked: u64,
    fitting: u64,
    /// Number and whether inside, ascending.
    people: Vec<(u64, bool)>,
    /// By index date.
    rows: Vec<Vec<PatientRow>>,
}

impl<'s, 'a> Crowd<'s, 'a> {
    pub(super) fn new(scene: &'s Scene<'a>, graph: &'s Graph, files: &'s ValueFiles, wanted: u64) -> Self {
        let fitting = (0..SAMPLE)
            .filter(|number| Person::new(scene, *number).is_some_and(|person| fits::demands(scene, &person).1));
        let rate = if files.is_empty() { fitting.count() as f64 / SAMPLE as f64 } else { 1.0 };
        Self {
            scene,
            graph,
            files,
            wanted,
            scanned: 0,
            looked: 0,
            fitting: 0,
            inside: 0,
            kept: Vec::new(),
            missed: Vec::new(),
            rate,
        }
    }

    /// How many more people may be scanned.
    fn left(&self) -> u64 {
        if !self.files.is_empty() {
            let others = self.wanted.div_ceil(10) * 5;
            return (self.wanted + others).saturating_sub(self.scanned);
        }
        let most = match self.fitting {
            0 => NOBODY.max(self.wanted),
            _ => self.wanted.saturating_mul(RARE),
        };
        match self.looked < most && self.fitting < self.wanted.saturating_mul(CANDIDATES) {
            true => most.saturating_mul(CANDIDATES).saturating_add(SAMPLE * 100).saturating_sub(self.scanned),
            false => 0,
        }
    }

    fn is_done(&self) -> bool {
        match self.files.is_empty() {
            true => self.inside >= self.wanted,
            false => self.scanned >= self.wanted && self.missed.len() as u64 >= self.wanted.div_ceil(10),
        }
    }

    /// The rows of the next patients by index date; `None` when there are enough, or none can be found.
    pub(super) fn next(&mut self) -> Result<Option<Dated>, RunFault> {
        let left = self.left();
        if self.is_done() || left == 0 {
            return Ok(None);
        }
        let rate = self.rate.max(1e-4);
        let lacking =
            self.wanted.saturating_sub(self.inside).min((HELD / self.scene.asked.len().max(1) as u64).max(TOGETHER));
        let size = ((lacking as f64 * 1.02 + 16.0) / rate) as u64;
        let most = self.wanted.saturating_mul(CANDIDATES).max(SAMPLE);
        let batch = size.min(left).min(most.max(TOGETHER));
        let step = ((TOGETHER as f64 / rate) as u64).clamp(TOGETHER, 100_000);
        let end = self.scanned + batch;
        let ranges: Vec<Range<u64>> =
            (self.scanned..end).step_by(step as usize).map(|from| from..(from + step).min(end)).collect();
        self.scanned = end;
        let outside = (self.wanted.div_ceil(10).max(50)).saturating_sub(self.missed.len() as u64);
        let outside = outside.div_ceil(ranges.len().max(1) as u64);
        let parts = parallel::each(&ranges, |range| self.part(range.clone(), outside));
        let mut rows = Dated::new();
        for part in parts {
            self.take(part?, &mut rows);
        }
        self.rate = match self.inside {
            0 => (self.rate / 4.0).max(1e-4),
            inside => inside as f64 / self.scanned as f64,
        };
        Ok(Some(rows))
    }

    /// As many as are wanted; the rest is as if it had not been looked at.
    fn take(&mut self, part: Part, rows: &mut Dated) {
        self.looked += part.looked;
        self.fitting += part.fitting;
        let (mut last, mut dropped) = (0, false);
        for (number, inside) in part.people {
            match inside {
                true if self.inside < self.wanted => {
                    self.inside += 1;
                    self.kept.push(number);
                    last = number;
                }
                true => dropped = true,
                false if (self.missed.len() as u64) < self.wanted.div_ceil(10).max(50) => self.missed.push(number),
                false => {}
            }
        }
        let last = Person::id(self.scene, last);
        for (date, mut found) in part.rows.into_iter().enumerate() {
            if dropped {
                found.retain(|row| row.patient_id <= last);
            }
            rows.push((date, found));
        }
    }

    fn part(&self, numbers: Range<u64>, mut outside: u64) -> Result<Part, RunFault> {
        let mut store = Store::default();
        let mut part = Part { looked: 0, fitting: 0, people: Vec::new(), rows: Vec::new() };
        for number in numbers {
            let Some(person) = Person::new(self.scene, number) else { continue };
            part.looked += 1;
            let (demands, fits) = fits::demands(self.scene, &person);
            part.fitting += u64::from(fits);
            // Near misses are wanted too, but not all of them.
            if !fits && self.files.is_empty() {
                if outside == 0 {
                    continue;
                }
                outside -= 1;
            }
            part.people.push((number, false));
            plant::patient(self.scene, person, &demands, &mut store);
        }
        let tables = with_files(store, self.files);
        let mut ids = BTreeSet::new();
        for run in self.scene.asked.iter().filter_map(|place| self.scene.runs.get(*place)) {
            let rows = answer(self.graph, &tables, run.index_date)?.rows;
            ids.extend(rows.iter().map(|row| row.patient_id));
            part.rows.push(rows);
        }
        for (number, inside) in &mut part.people {
            *inside = ids.contains(&Person::id(self.scene, *number));
        }
        Ok(part)
    }

    /// The rows of those inside, and of some outside.
    pub(super) fn store(&self) -> Store {
        let missed = self.missed.iter().take(self.wanted.div_ceil(10) as usize).map(|number| (*number, false));
        let mut numbers: Vec<(u64, bool)> = self.kept.iter().map(|number| (*number, true)).chain(missed).collect();
        numbers.sort_unstable();
        planted(self.scene, &numbers, true)
    }
}

/// The rows of people by number, made again.
pub(super) fn tables(scene: &Scene, numbers: &[u64]) -> Store {
    planted(scene, &numbers.iter().map(|number| (*number, false)).collect::<Vec<_>>(), false)
}

/// The rows of people by number and whether they are inside; all that a folder of tables has, or what answers hang on.
fn planted(scene: &Scene, numbers: &[(u64, bool)], all: bool) -> Store {
    let parts: Vec<&[(u64, bool)]> = numbers.chunks(TOGETHER as usize).collect();
    let stores = parallel::each(&parts, |part| {
        let mut store = Store::default();
        for (number, inside) in *part {
            let Some(person) = Person::new(scene, *number) else { continue };
            let (demands, _) = fits::demands(scene, &person);
            let person = plant::patient(scene, person, &demands, &mut store);
            if all {
                plant::beyond(scene, &person, *inside, &mut store);
            }
        }
        store
    });
    Store::together(stores)
}
