//! Random definitions on simulated patients: whatever a study asks, patients are made for it or it is told why not, and
//! the same on any day. `RANDOM=7 RANDOM_STUDIES=200 cargo nextest run -p study simulated` draws others.

use jiff::ToSpan;
use query::reference::Answer;
use study::simulate::{Census, Request, SimulateError, Simulation, simulate_with};

use super::{DATES, Drawn, case_of, functions, run, setting};
use crate::random::draw::Draw;
use crate::support::recorder;

/// Patients of each study.
const PATIENTS: u64 = 12;

#[test]
fn random_studies_are_simulated() {
    let (first, count) = (setting("RANDOM", 1), setting("RANDOM_STUDIES", 12));
    let drawn: Vec<Drawn> = (first..first + count).map(|seed| functions::study(&mut Draw::new(seed))).collect();
    let cases: Vec<_> = drawn.iter().map(case_of).collect();
    let (mut some, mut stopped) = (0, 0);
    for ((drawn, case), recorded) in drawn.iter().zip(&cases).zip(recorder::record(&cases)) {
        let recording = recorded.into_iter().next().unwrap().unwrap();
        let study = run::checked(&recording, &DATES).study.unwrap();
        let graph = run::graph(&study, &recording).unwrap();
        let Ok(files) = run::value_files(&graph, &case.files) else { continue };
        let made = |seed, day: i64| {
            let today = recording.date.checked_add(day.days()).unwrap();
            let request = Request {
                patients: PATIENTS,
                seed,
                index_dates: DATES.to_vec(),
                other_dates: Vec::new(),
                today,
                mess: 0.3,
                tables: true,
                census: Census::default(),
            };
            simulate_with(&study, &recording, &request, &files)
        };
        let says_today = drawn.text.contains("today");
        let one = made(drawn.seed, 0);
        let again = made(drawn.seed, if says_today { 0 } else { 400 });
        match (&one, &again) {
            (Ok(one), Ok(again)) => {
                assert_eq!(bytes(one), bytes(again), "{}", drawn.text);
                some += u32::from(one.inside() > 0);
                told(one, &files, &drawn.text);
            }
            (Err(SimulateError::Run(one)), Err(SimulateError::Run(again))) => {
                assert_eq!(one.code, again.code);
                stopped += 1;
            }
            (one, again) => panic!("{:?} {:?}\n{}", one.as_ref().err(), again.as_ref().err(), drawn.text),
        }
    }
    println!("{some} of {count} have patients, {stopped} stop");
    assert!(some * 2 > count as u32, "{some} of {count} studies have patients, {stopped} stop");
}

/// Too few inside are never passed over in silence, and rows are of those inside.
fn told(made: &Simulation, files: &study::simulate::ValueFiles, text: &str) {
    let few = made.inside() < PATIENTS && (files.is_empty() || made.inside() == 0);
    assert_eq!(few, !made.lints().is_empty(), "{text}");
    let rows = |date: &Option<jiff::civil::Date>| made.answer(*date).map_or(0, |answer: &Answer| answer.rows.len());
    let most = made.index_dates().iter().map(rows).max().unwrap_or(0) as u64;
    assert!(most <= made.inside(), "{most} rows of {} patients\n{text}", made.inside());
}

fn bytes(made: &Simulation) -> Vec<u8> {
    let mut out = Vec::new();
    for table in made.store().names() {
        out.extend_from_slice(table.as_bytes());
        made.store().write(table, &mut out).unwrap();
    }
    out
}
