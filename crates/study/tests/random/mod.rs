//! Random definitions, drawn from the whole language, over random tables: the lowered graph and the naive reference agree.
//! `RANDOM=7 cargo nextest run -p study random` begins with seed 7; `RANDOM_STUDIES=500` draws more.

mod data;
mod draw;
mod expressions;
mod functions;
mod simulated;

use std::collections::BTreeMap;

use jiff::civil::date;
use study::model::Study;
use study::recording::Recording;

use crate::naive;
use crate::over as run;
use crate::support::case::{Case, Run};
use crate::support::recorder;
use crate::support::tables::{Folder, Table};
use draw::Draw;
use functions::Drawn;

/// Never the 29th to the 31st: month arithmetic on fixed days is strict.
const DATES: [jiff::civil::Date; 3] = [date(2021, 3, 1), date(2020, 2, 28), date(2021, 4, 15)];
const TABLES_OF_EACH: u64 = 2;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn random_studies_over_random_tables_agree() {
    let (first, count) = (setting("RANDOM", 1), setting("RANDOM_STUDIES", 50));
    let drawn: Vec<Drawn> = (first..first + count).map(|seed| functions::study(&mut Draw::new(seed))).collect();
    let cases: Vec<Case> = drawn.iter().map(case_of).collect();
    let (mut runs, mut varied) = (0_u32, 0_u32);
    let mut stopped: BTreeMap<String, u32> = BTreeMap::new();
    // by function: runs, and runs in which some column of it varies
    let mut told: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    for ((drawn, case), recorded) in drawn.iter().zip(&cases).zip(recorder::record(&cases)) {
        let recording = recorded.into_iter().next().unwrap().unwrap();
        let checked = run::checked(&recording, &DATES);
        let Some(study) = checked.study else {
            let text = &case.studies[0].1;
            let faults: Vec<_> = checked.faults.iter().map(|f| (f.code, &f.message, &f.excerpt, &f.fix)).collect();
            panic!("a drawn study has faults {faults:#?}\n{text}");
        };
        let graph = run::graph(&study, &recording).unwrap_or_else(|e| panic!("{e}\n{}", case.studies[0].1));
        for table in 0..TABLES_OF_EACH {
            let folder = data::tables(&mut Draw::new(drawn.seed * 1000 + table));
            for date in DATES {
                let both = both(&study, &recording, &graph, &folder, &case.files, date);
                if let Err(why) = agree(&study, &both) {
                    panic!("{}", shrunk(&study, &recording, &graph, folder, case, date, &why));
                }
                let text = match both.0 {
                    Ok(text) => text,
                    Err(code) => {
                        *stopped.entry(code).or_default() += 1;
                        continue;
                    }
                };
                runs += 1;
                varied += u32::from(tell(drawn, &Table::parse(&text).unwrap(), &mut told));
            }
        }
    }
    assert!(runs > 0 && varied * 2 > runs, "{varied} of {runs} runs give results that vary");
    println!("{runs} runs, {varied} of them vary; stopped: {stopped:?}");
    assert!(stopped.values().sum::<u32>() < runs, "most runs stop: {stopped:?}");
    let wanted = functions::all();
    let absent: Vec<_> = wanted.iter().filter(|word| !told.contains_key(**word)).collect();
    // what few runs ask may be constant by chance
    let constant: Vec<_> = told
        .iter()
        .filter(|(word, t)| t.0 >= 60 && t.1 == 0 && !functions::CONSTANT.contains(&word.as_str()))
        .collect();
    if count >= 50 {
        assert!(absent.is_empty(), "never drawn: {absent:?}");
        assert!(constant.is_empty(), "never varies: {constant:?}");
    }
}

type Both = (run::Ran, run::Ran);

fn both(
    study: &Study,
    recording: &Recording,
    graph: &query::Graph,
    folder: &Folder,
    files: &[(String, String)],
    date: jiff::civil::Date,
) -> Both {
    let world = naive::World { study, recording, folder, files, index_date: Some(date) };
    let mut tables = run::tables(folder);
    let by_graph =
        run::add_files(&mut tables, graph, files).and_then(|()| run::lowered(study, graph, &tables, Some(date)));
    (by_graph, run::naively(&world))
}

fn agree(study: &Study, both: &Both) -> Result<(), String> {
    match both {
        (Ok(a), Ok(b)) if run::same(a, b, study) => Ok(()),
        (Ok(a), Ok(b)) => Err(format!("the graph\n{a}\nthe naive reference\n{b}")),
        (Err(a), Err(b)) if a == b => Ok(()),
        (a, b) => Err(format!("the graph {a:?}\nthe naive reference {b:?}")),
    }
}

fn case_of(drawn: &Drawn) -> Case {
    Case {
        name: format!("random {}", drawn.seed),
        title: String::new(),
        tables: Folder::new(),
        files: vec![("output/values.csv".into(), data::file(&mut Draw::new(drawn.seed)))],
        studies: vec![("study_definition".into(), drawn.text.clone())],
        run: Run { index_dates: DATES.to_vec(), ..Run::default() },
        expects: Vec::new(),
    }
}

/// Counts what varies between patients; whether anything does.
fn tell(drawn: &Drawn, table: &Table, told: &mut BTreeMap<String, (u32, u32)>) -> bool {
    let mut any = false;
    for (column, words) in &drawn.columns {
        let Some(at) = table.column(column) else { continue };
        let varies = table.rows.iter().any(|row| row[at] != table.rows[0][at]);
        any |= varies;
        for word in words {
            let count = told.entry(word.clone()).or_default();
            count.0 += 1;
            count.1 += u32::from(varies);
        }
    }
    any
}

/// Leaves out rows as long as the two disagree, and tells the rest as a case.
fn shrunk(
    study: &Study,
    recording: &Recording,
    graph: &query::Graph,
    mut folder: Folder,
    case: &Case,
    date: jiff::civil::Date,
    why: &str,
) -> String {
    let disagree = |folder: &Folder| agree(study, &both(study, recording, graph, folder, &case.files, date)).err();
    let mut why = why.to_owned();
    let names: Vec<String> = folder.keys().cloned().collect();
    for name in names {
        let mut at = 0;
        while at < folder[&name].rows.len() {
            let row = folder.get_mut(&name).unwrap().rows.remove(at);
            match disagree(&folder) {
                Some(still) => why = still,
                None => {
                    folder.get_mut(&name).unwrap().rows.insert(at, row);
                    at += 1;
                }
            }
        }
    }
    let mut text = format!("{} disagrees\n", case.name);
    for (name, table) in folder.iter().filter(|(_, table)| !table.rows.is_empty()) {
        text += &format!("--- table {name}\n{}", table.to_csv());
    }
    for (path, content) in &case.files {
        text += &format!("--- file {path}\n{content}");
    }
    text + &format!("--- study\n{}--- run index_date={date}\n\n{why}", case.studies[0].1)
}
