//! A runtime that plays what it is told for each action, and remembers what it was asked.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use sandbox::{Capabilities, Error, Exit, IsolationLevel, Limit, LimitHit, OutOfMemory, Runtime, Sample, Spec, Usage};

/// What becomes of a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// It makes its output.
    Succeed,
    /// It ends with this code and makes its output all the same.
    Exit(i32),
    /// It writes more than it may.
    DiskLimit,
    CannotStart,
    /// Its supervisor dies.
    Lose,
    /// Its supervisor is told to end by somebody else, as when the machine goes down.
    EndFromElsewhere,
    /// This program breaks.
    Panic,
    /// It runs until it is released.
    Hold,
    /// It cannot be ended.
    Stick,
}

#[derive(Default)]
struct Stage {
    plans: BTreeMap<String, VecDeque<Act>>,
    /// By the name of the run.
    acts: BTreeMap<String, Act>,
    starts: Vec<String>,
    stopped: BTreeSet<String>,
    released: bool,
    killed: BTreeSet<String>,
}

#[derive(Default)]
pub struct Double {
    stage: Mutex<Stage>,
    changed: Condvar,
}

/// The last word of the command.
fn action(spec: &Spec) -> String {
    spec.argv.last().unwrap().clone()
}

impl Double {
    pub fn plan(&self, action: &str, acts: &[Act]) {
        self.stage.lock().unwrap().plans.insert(action.to_owned(), acts.iter().copied().collect());
    }

    pub fn release(&self) {
        self.stage.lock().unwrap().released = true;
        self.changed.notify_all();
    }

    /// Every supervisor dies.
    pub fn kill_all(&self) {
        let mut stage = self.stage.lock().unwrap();
        stage.killed = stage.acts.keys().cloned().collect();
        drop(stage);
        self.changed.notify_all();
    }

    pub fn starts(&self, action: &str) -> usize {
        self.stage.lock().unwrap().starts.iter().filter(|started| *started == action).count()
    }
}

fn exit(code: i32, ended_by: LimitHit) -> Exit {
    Exit {
        code,
        signal: None,
        out_of_memory: OutOfMemory::No,
        children_out_of_memory: 0,
        ended_by,
        started: 0.0,
        ended: 0.1,
        usage: Usage::default(),
        isolation: IsolationLevel::Full,
    }
}

impl Runtime for Double {
    fn probe(&self) -> Capabilities {
        Capabilities { items: Vec::new() }
    }

    fn start(&self, spec: &Spec) -> Result<(), Error> {
        let mut stage = self.stage.lock().unwrap();
        let name = action(spec);
        if stage.acts.contains_key(&spec.name.0) {
            return Err(Error::AlreadyExists(spec.name.clone()));
        }
        let act = stage.plans.get_mut(&name).and_then(VecDeque::pop_front).unwrap_or(Act::Succeed);
        stage.starts.push(name.clone());
        match act {
            Act::CannotStart => return Err(Error::CouldNotStart("there is no such image".to_owned())),
            Act::Panic => {
                drop(stage);
                panic!("a fault of this program");
            }
            _ => {}
        }
        stage.acts.insert(spec.name.0.clone(), act);
        std::fs::create_dir_all(spec.folder.join("workspace/output")).unwrap();
        std::fs::write(spec.folder.join(format!("workspace/output/{name}.csv")), "a,b\n1,2\n").unwrap();
        Ok(())
    }

    fn wait(&self, spec: &Spec) -> Result<Exit, Error> {
        let mut stage = self.stage.lock().unwrap();
        loop {
            let act = stage.acts.get(&spec.name.0).copied().ok_or_else(|| Error::NotFound(spec.name.clone()))?;
            if stage.stopped.contains(&spec.name.0) {
                return Ok(exit(143, LimitHit::Stopped));
            }
            match act {
                Act::Exit(code) => return Ok(exit(code, LimitHit::None)),
                Act::DiskLimit => return Ok(exit(137, LimitHit::Limit(Limit::Disk))),
                Act::Lose => return Err(Error::Lost(spec.name.clone())),
                Act::EndFromElsewhere => return Ok(exit(143, LimitHit::Stopped)),
                Act::Stick => return Err(Error::Stuck(spec.name.clone(), "a process does not end".to_owned())),
                Act::Hold if stage.killed.contains(&spec.name.0) => return Err(Error::Lost(spec.name.clone())),
                Act::Hold if !stage.released => {
                    // Not for ever: a test that ends leaves this thread behind.
                    let (next, over) = self.changed.wait_timeout(stage, Duration::from_secs(20)).unwrap();
                    stage = next;
                    if over.timed_out() {
                        return Err(Error::Lost(spec.name.clone()));
                    }
                }
                _ => return Ok(exit(0, LimitHit::None)),
            }
        }
    }

    fn stop(&self, spec: &Spec, _: Duration) -> Result<(), Error> {
        self.stage.lock().unwrap().stopped.insert(spec.name.0.clone());
        self.changed.notify_all();
        Ok(())
    }

    fn sample(&self, _: &Spec) -> Option<Sample> {
        None
    }

    fn remove(&self, spec: &Spec) -> Result<(), Error> {
        std::fs::remove_dir_all(&spec.folder).ok();
        Ok(())
    }
}
