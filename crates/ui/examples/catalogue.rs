//! Writes a page with every component, and the files it loads, into a folder, to be looked at in a browser:
//! light and dark, 320 pixels and wide, printed, with and without script.

use std::path::Path;
use std::{env, fs, io};

use askama::Template;
use ui::bars::{Bar, Stretch};
use ui::form::{Fault, Field, Kind};
use ui::graph::{Layout, Node, Part, Shape};
use ui::html::Html;
use ui::icon::{Level, State};
use ui::list::{Chip, Pager};
use ui::page::{Account, Crumb, Frame, Link, Notice, Page, Tone};
use ui::time::{At, Hms};
use ui::yaml::{Mark, Meaning};

const STATES: [State; 7] = [
    State::Pending,
    State::Running,
    State::Succeeded,
    State::Failed,
    State::NothingToDo,
    State::Cancelled,
    State::Unknown,
];
const PIPELINE: &str = "version: '3.0'\n\nexpectations:\n  population_size: 1000\n\nactions:\n  # extract first\n  \
    generate_cohort:\n    run: cohortextractor:latest generate_cohort\n    outputs:\n      highly_sensitive:\n        \
    cohort: output/input.csv.gz\n\n  tabulate:\n    run: >\n      r:latest analysis/tabulate.R\n    needs: \
    [generate_cohort]\n    outputs:\n      moderately_sensitive:\n        table: output/table_*.csv\n        odd: \
    \"\u{202e}left\"\n";

#[derive(Template)]
#[template(path = "catalogue.html")]
struct Catalogue {
    states: [State; 7],
    levels: [Level; 3],
    rows: Vec<(&'static str, State, &'static str)>,
    graph: Html,
    yaml: Html,
    chips: Html,
    pager: Html,
    empty: Html,
    summary: Html,
    fields: Vec<Html>,
    created: Html,
    bars: Html,
}

fn main() -> io::Result<()> {
    let folder = env::args().nth(1).unwrap_or_else(|| "catalogue".into());
    let folder = Path::new(&folder);
    fs::create_dir_all(folder.join("static"))?;
    for file in ui::assets::all() {
        fs::write(folder.join("static").join(file.name), file.bytes)?;
    }
    fs::write(folder.join("index.html"), page().around(&frame(), &Html::of(&catalogue())))
}

fn catalogue() -> Catalogue {
    let faults = [Fault { field: Some("name".into()), message: "A workspace name has no spaces.".into() }];
    Catalogue {
        states: STATES,
        levels: [Level::High, Level::Medium, Level::Low],
        rows: vec![
            ("generate_cohort", State::Succeeded, ""),
            ("tabulate", State::Running, ""),
            (
                "plot_<script>alert(1)</script>_a_very_long_name_that_goes_on_and_on_and_on",
                State::Failed,
                "Not all declared outputs were found.",
            ),
            ("report", State::Pending, "Waiting for tabulate."),
        ],
        graph: graph(),
        yaml: pipeline(),
        chips: ui::list::chips(&[Chip { text: "status: failed".into(), without: "?".into() }]),
        pager: Pager { total: "2,340 job requests".into(), first: Some("?".into()), next: Some("?after=2".into()) }
            .shown(),
        empty: ui::list::empty("Nothing has run here yet."),
        summary: ui::form::summary(&faults),
        fields: vec![
            Field::line("name", "Workspace name")
                .hint("Letters, figures, - and _.")
                .value("My Study")
                .required()
                .shown(&faults),
            Field::line("purpose", "Purpose").kind(Kind::Area { rows: 3 }).shown(&faults),
            Field::line("force", "Force run dependencies").kind(Kind::Tick).shown(&faults),
        ],
        created: At(1_741_079_707_000_000).shown(At(1_741_083_707_000_000)),
        bars: bars(),
    }
}

fn pipeline() -> Html {
    let mark = |text: &str, meaning| {
        let at = PIPELINE.find(text).unwrap_or(0);
        Mark { place: at..at + text.len(), meaning }
    };
    let marks = [
        mark("generate_cohort", Meaning::Action { id: ui::yaml::anchor("generate_cohort"), href: Some("#j-1".into()) }),
        mark("highly_sensitive", Meaning::Level(Level::High)),
        mark("output/input.csv.gz", Meaning::Level(Level::High)),
        mark("moderately_sensitive", Meaning::Level(Level::Medium)),
        mark("output/table_*.csv", Meaning::Level(Level::Medium)),
        mark("analysis/tabulate.R", Meaning::Script { href: "code/analysis/tabulate.R".into() }),
        mark("odd", Meaning::Fault("This key is odd.".into())),
    ];
    ui::yaml::whole(PIPELINE, &marks)
}

fn graph() -> Html {
    let names = [
        "cohort_1",
        "cohort_2",
        "cohort_ethnicity",
        "join_ethnicity_region",
        "calculate_numerators",
        "measures",
        "generate_measures_demographics_by_region",
        "plots",
        "report",
        "run_tests",
    ];
    let shape = Shape {
        names: names.map(String::from).to_vec(),
        edges: vec![(0, 3), (1, 3), (2, 3), (3, 4), (3, 5), (4, 6), (3, 6), (5, 7), (6, 7), (7, 8), (3, 8)],
    };
    let parts = [Part::Requested, Part::PulledIn, Part::Reused];
    let nodes: Vec<Node> = (0..names.len())
        .map(|n| Node {
            href: format!("#j-{n}"),
            state: STATES[n % 7],
            part: parts[n % 3],
            levels: if n > 6 { vec![Level::High, Level::Medium] } else { vec![Level::High] },
        })
        .collect();
    Layout::of(&shape).draw(&shape, &nodes, "jobs")
}

fn bars() -> Html {
    let bar = |name: &str, a, b, c, state| Bar {
        name: name.into(),
        figure: Hms::seconds(c - b).to_string(),
        stretches: vec![
            Stretch { from: At(a), to: At(b), state: None },
            Stretch { from: At(b), to: At(c), state: Some(state) },
        ],
    };
    let bars = [bar("generate_cohort", 0, 20, 90, State::Succeeded), bar("tabulate", 90, 100, 170, State::Failed)];
    ui::bars::draw(&bars, At(0), At(200), "Waiting and running times of each job")
}

fn frame() -> Frame {
    let link = |text: &str, section| Link { text: text.into(), href: format!("/{section}/"), section };
    Frame {
        site: "Cloister".into(),
        version: "0.1.0".into(),
        source: "#source".into(),
        about: "Everything that ran on patient data is listed here, for everybody, for ever.".into(),
        links: vec![link("Event log", "event-log"), link("Organisations", "organisations"), link("Status", "status")],
        foot: vec![link("API", "api")],
    }
}

fn page() -> Page {
    Page {
        title: "Catalogue".into(),
        heading: "Catalogue of components".into(),
        beside: Some(State::Running.label()),
        description: "What pages are made of.".into(),
        canonical: Some("/".into()),
        section: "event-log",
        crumbs: vec![
            Crumb::to("Organisation", "Northfield University", "/orgs/n/"),
            Crumb::to("Workspace", "winter-chest", "/w/"),
            Crumb::here("Job request", "812"),
        ],
        notices: vec![
            Notice::text(Tone::Warning, "The database of the North backend is in maintenance."),
            Notice::text(Tone::Info, "A later request has run these actions again."),
        ],
        account: Account::Nobody { sign_in: "/login/".into() },
        live: None,
        made: Some(At(1_741_083_707_000_000)),
        told: None,
    }
}
