//! Simulated patients of a recorded study: `cargo run --release -p study --example simulate -- RECORDING.json N [DATE]…`.
//! Prints the time and the report for each index date.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a tool for whoever measures"
)]

use std::time::Instant;

use jiff::civil::Date;
use study::expectations::SEED;
use study::recording::Recording;
use study::simulate::{Census, MESS, Request, simulate_each};
use study::{CheckOptions, check};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let recording = Recording::parse(&std::fs::read(&arguments[0]).unwrap()).unwrap();
    let index_dates: Vec<Date> = arguments[2..].iter().map(|day| day.parse().unwrap()).collect();
    let today = recording.date;
    let checked = check(&recording, &CheckOptions { index_dates: index_dates.clone(), ..CheckOptions::new(today) });
    let study = checked.study.unwrap_or_else(|| panic!("{:#?}", checked.faults));
    let start = Instant::now();
    let request = Request {
        patients: arguments[1].parse().unwrap(),
        seed: SEED,
        index_dates,
        other_dates: Vec::new(),
        today,
        mess: MESS,
        tables: false,
        census: Census::default(),
    };
    let mut rows = 0;
    let simulation =
        simulate_each(&study, &recording, &request, &Vec::new(), &mut |_, found| rows += found.len()).unwrap();
    println!("{} inside, {rows} rows, made in {:.3} s", simulation.inside(), start.elapsed().as_secs_f64());
    simulation.lints().iter().for_each(|lint| println!("{}: {}", lint.code, lint.message));
    for (date, report) in simulation.index_dates().iter().zip(simulation.reports()) {
        println!("{date:?}\n{report}");
    }
}
