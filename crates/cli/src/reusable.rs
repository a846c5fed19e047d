//! The reusable actions of a study: looked up by the settings of the person, pinned by the study's lock file, and what is
//! said of them on the way. Spec project-yaml.md 9; cli.md 3, 5, 11, 12; jobs.md 19.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::Path;

use jobs::reusable::{Ask, Came, Found, Library, NotFound, Pins, Reusable, expand, read_lock, wanted, write_lock};
use jobs::store::Store;
use pipeline::report::visible;
use pipeline::{ActionName, Project, Registry, ReusableActions, ReusableFault, RuntimeRef};

use crate::args::Global;
use crate::project;
use crate::settings::Settings;
use crate::terminal::Terminal;

/// Where copies of repositories lie, below the folder of all that is fetched.
pub(crate) const CACHED: &str = "actions";

/// What is known of a study's reusable actions.
#[derive(Default)]
pub(crate) struct Looked {
    /// With what `check` has to know of them.
    pub(crate) registry: Registry,
    found: BTreeMap<RuntimeRef, Found>,
    /// Those that were not fetched so far.
    unknown: BTreeSet<RuntimeRef>,
    /// All that the study names.
    named: BTreeSet<RuntimeRef>,
    pins: Pins,
    offline: bool,
}

/// Looks up what `requested` actions come to, or all. Says beforehand what is fetched, and what the cache is taken for.
pub(crate) fn look_up(
    study: &project::Found,
    requested: Option<&[ActionName]>,
    ask: Ask,
    settings: &Settings,
    global: &Global,
    terminal: &Terminal,
) -> Result<Looked, Box<dyn Error>> {
    let mut looked = Looked { registry: runtimes::catalogue(), ..Looked::default() };
    let url = settings.one("actions.url").filter(|url| !url.is_empty());
    let (Some(url), Some(project)) = (url, &study.loaded.project) else { return Ok(looked) };
    looked.registry.reusable = ReusableActions::LookedUp(BTreeMap::new());
    looked.named = wanted(project, &[ActionName::new("run_all")], &looked.registry);
    let wanted = requested.map_or_else(|| looked.named.clone(), |names| wanted(project, names, &looked.registry));
    if wanted.is_empty() {
        return Ok(looked);
    }
    looked.offline = global.offline || settings.one("network.offline") == Some("true");
    let organisation = settings.one("actions.org").unwrap_or(jobs::reusable::ORGANISATION);
    let folder = runtimes::default_cache_dir().ok_or(crate::env::NoCache)?.join(CACHED);
    let library = match Library::on_a_laptop(url, organisation, &folder, looked.offline) {
        Ok(library) => library,
        // A look does without: what it does not know is a note.
        Err(why) if ask == Ask::Never => {
            terminal.note(&format!("note: reusable actions cannot be looked up: {}", visible(&why)));
            looked.unknown = wanted;
            return Ok(looked);
        }
        Err(why) => return Err(format!("error: reusable actions: {}", visible(&why)).into()),
    };
    looked.pins = read_lock(&study.folder).map_err(|bad| format!("error: {}", visible(&bad.to_string())))?;
    let say = |reference: &RuntimeRef| {
        let address = library.address(&reference.name).unwrap_or_default();
        terminal.note(&format!("fetching the reusable action {reference} from {}", visible(&address)));
    };
    let ask = if looked.offline { Ask::Never } else { ask };
    let mut answers = library.look_up(&wanted, &looked.pins, Ask::Never, &looked.registry);
    let mut open: BTreeSet<RuntimeRef> = match ask {
        Ask::Never => BTreeSet::new(),
        Ask::Missing => {
            let missing = answers.iter().filter(|(_, answer)| matches!(answer, Err(NotFound::NotHere)));
            missing.map(|(reference, _)| reference.clone()).collect()
        }
        Ask::Always => wanted,
    };
    // Nothing that has no address is asked for.
    open.retain(|reference| library.address(&reference.name).is_some());
    open.iter().for_each(say);
    if ask == Ask::Always {
        moved(&library, &open, &looked, terminal);
    }
    answers.extend(library.look_up(&open, &looked.pins, ask, &looked.registry));
    looked.take(answers, terminal)?;
    Ok(looked)
}

/// Says of each pinned one whose tag is another commit now.
fn moved(library: &Library, asked: &BTreeSet<RuntimeRef>, looked: &Looked, terminal: &Terminal) {
    let pinned: BTreeSet<_> = asked.iter().filter(|one| looked.pins.contains_key(one)).cloned().collect();
    for (reference, answer) in library.look_up(&pinned, &Pins::new(), Ask::Always, &looked.registry) {
        if let (Ok(now), Some((from, commit))) = (answer, looked.pins.get(&reference))
            && (now.action.repository.as_str(), now.action.commit.as_str()) != (from.as_str(), &*commit.to_string())
        {
            terminal.note(&format!(
                "note: {reference} is commit {} now, and {} pins {commit}: to take the new one, remove its entry there",
                now.action.commit,
                jobs::reusable::LOCK_FILE
            ));
        }
    }
}

impl Looked {
    fn take(
        &mut self,
        answers: BTreeMap<RuntimeRef, Result<Found, NotFound>>,
        terminal: &Terminal,
    ) -> Result<(), Box<dyn Error>> {
        let mut known = BTreeMap::new();
        for (reference, answer) in answers {
            match answer {
                Ok(found) => {
                    if self.offline && found.came == Came::Cache {
                        terminal.note(&format!(
                            "note: offline: {reference} is commit {}, as when it was last fetched",
                            found.action.commit
                        ));
                    }
                    known.insert(reference.clone(), Ok(()));
                    self.found.insert(reference, found);
                }
                Err(NotFound::Fault(fault)) => drop(known.insert(reference, Err(fault))),
                Err(NotFound::NotHere) => drop(self.unknown.insert(reference)),
                Err(NotFound::Outage(why)) => {
                    let address = reference.name.clone();
                    known.insert(reference, Err(ReusableFault::NoRepository { address, why }));
                }
                Err(error @ (NotFound::Machine(_) | NotFound::TooMany)) => {
                    return Err(
                        format!("error: the reusable action {reference}: {}", visible(&error.to_string())).into()
                    );
                }
            }
        }
        self.registry.reusable = ReusableActions::LookedUp(known);
        Ok(())
    }

    /// The project as it runs.
    pub(crate) fn expand(&self, project: &Project) -> Project {
        expand(project, self.found.values())
    }

    /// Whether all that a run needs is there.
    pub(crate) fn complete(&self, project: &Project, plan: &jobs::Plan) -> Result<(), Box<dyn Error>> {
        let new = plan.new_jobs().map(|visited| &project.actions[visited.index]);
        let lacking = new.filter(|action| self.unknown.contains(&action.runtime));
        let lines: Vec<String> = lacking
            .map(|action| {
                format!(
                    "error: action `{}`: the reusable action {} was not fetched before, and --offline opens no connection\n  \
                     = help: run it once without --offline",
                    visible(action.name.as_str()),
                    action.runtime
                )
            })
            .collect();
        if lines.is_empty() { Ok(()) } else { Err(lines.join("\n").into()) }
    }

    /// Whether this is one of the study's reusable actions.
    pub(crate) fn names(&self, reference: &RuntimeRef) -> bool {
        self.named.contains(reference)
    }

    /// What one of them is, in a line.
    pub(crate) fn said(&self, reference: &RuntimeRef) -> String {
        let known = match &self.registry.reusable {
            ReusableActions::LookedUp(known) => known.get(reference),
            ReusableActions::Nowhere => None,
        };
        match (self.found.get(reference), known) {
            (Some(found), _) => {
                let (action, runtime) = (&found.action, found.action.words.first().map_or("", String::as_str));
                format!("{reference}: commit {} of {} ({runtime})", action.commit, action.repository)
            }
            (None, Some(Err(fault))) => format!("{reference}: {fault}"),
            (None, _) => format!("{reference}: not fetched yet"),
        }
    }

    /// The code of all that was found, stored for jobs.
    pub(crate) fn stored(&self, store: &Store, terminal: &Terminal) -> Result<Reusable, Box<dyn Error>> {
        let stored = Reusable::stored(self.found.values(), self.unknown.clone(), store).map_err(unusable)?;
        for (reference, code) in &stored.codes {
            code.notes.iter().for_each(|note| terminal.note(&format!("note: {reference}: {note}")));
        }
        Ok(stored)
    }

    /// The same for a look.
    pub(crate) fn surveyed(&self) -> Result<Reusable, Box<dyn Error>> {
        Reusable::surveyed(self.found.values(), self.unknown.clone()).map_err(unusable)
    }

    /// Writes which commits they are into the study's lock file.
    pub(crate) fn pin(&self, study: &Path) -> Result<(), Box<dyn Error>> {
        if self.named.is_empty() {
            return Ok(());
        }
        write_lock(study, &self.pins, self.found.values(), &self.named)
            .map(drop)
            .map_err(|bad| format!("error: {}", visible(&bad.to_string())).into())
    }
}

fn unusable((reference, error): (RuntimeRef, NotFound)) -> Box<dyn Error> {
    let code = if let NotFound::Fault(fault) = &error { format!("[{}]", fault.code().0) } else { String::new() };
    format!("error{code}: the reusable action {reference}: {}", visible(&error.to_string())).into()
}
