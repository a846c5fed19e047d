//! A runtime that plays what the action's words say: `ok`, `fail`, `hold`, `leak` and the like, one word after the script.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use sandbox::{Capabilities, Error, Exit, IsolationLevel, LimitHit, OutOfMemory, Runtime, Sample, Spec, Usage};

#[derive(Default)]
struct Stage {
    /// By the name of the run: its word.
    runs: BTreeMap<String, String>,
    starts: Vec<String>,
    stopped: BTreeSet<String>,
    lost: BTreeSet<String>,
    released: bool,
}

#[derive(Default)]
pub struct Double {
    stage: Mutex<Stage>,
    changed: Condvar,
}

impl Double {
    /// What holds goes on.
    pub fn release(&self) {
        self.stage.lock().unwrap().released = true;
        self.changed.notify_all();
    }

    /// How often anything with this word was started.
    pub fn starts(&self, word: &str) -> usize {
        self.stage.lock().unwrap().starts.iter().filter(|started| *started == word).count()
    }
}

fn exit(code: i32, ended_by: LimitHit) -> Exit {
    Exit {
        code,
        signal: None,
        out_of_memory: if code == 137 { OutOfMemory::Yes } else { OutOfMemory::No },
        children_out_of_memory: 0,
        ended_by,
        started: 0.0,
        ended: 1.5,
        usage: Usage::default(),
        isolation: IsolationLevel::Full,
    }
}

impl Runtime for Double {
    fn probe(&self) -> Capabilities {
        Capabilities { items: Vec::new() }
    }

    /// The last two words are what it plays and the file that it writes.
    fn start(&self, spec: &Spec) -> Result<(), Error> {
        let mut stage = self.stage.lock().unwrap();
        let [.., word, file] = spec.argv.as_slice() else { panic!("{:?}", spec.argv) };
        if stage.runs.contains_key(&spec.name.0) {
            return Err(Error::AlreadyExists(spec.name.clone()));
        }
        stage.starts.push(word.clone());
        stage.runs.insert(spec.name.0.clone(), word.clone());
        if word.starts_with("mark") {
            // A pattern is declared; names, contents and the log are what nobody outside may hear of.
            let folder = spec.folder.join("workspace/output");
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join(format!("ZEBRA-{word}.csv")), "patient_id,ZEBRA\n1,ZEBRA\n").unwrap();
            std::fs::write(folder.join(format!("ZEBRA-{word}.svg")), "<svg>ZEBRA</svg>").unwrap();
            std::fs::write(spec.folder.join("log"), "2027-03-04T09:15:02.000000000Z ZEBRA in the log\n").unwrap();
            return Ok(());
        }
        let path = spec.folder.join("workspace").join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = match word.as_str() {
            "patients" => "patient_id,b\n1,2\n".to_owned(),
            // What lies at the top of the workspace.
            "list" => {
                let entries = std::fs::read_dir(spec.folder.join("workspace")).unwrap();
                let mut names: Vec<_> =
                    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
                names.sort();
                format!("name\n{}\n", names.join("\n"))
            }
            word => format!("a,b\n1,{word}\n"),
        };
        if word != "nothing" {
            std::fs::write(path, text).unwrap();
        }
        Ok(())
    }

    fn wait(&self, spec: &Spec) -> Result<Exit, Error> {
        let mut stage = self.stage.lock().unwrap();
        loop {
            let word = stage.runs.get(&spec.name.0).cloned().ok_or_else(|| Error::NotFound(spec.name.clone()))?;
            if stage.stopped.contains(&spec.name.0) {
                return Ok(exit(143, LimitHit::Stopped));
            }
            match word.as_str() {
                "fail" => return Ok(exit(1, LimitHit::None)),
                "markfail" => return Ok(exit(77, LimitHit::None)),
                "memory" => return Ok(exit(137, LimitHit::None)),
                "lose" if !stage.lost.contains(&spec.name.0) => {
                    stage.lost.insert(spec.name.0.clone());
                    return Err(Error::Lost(spec.name.clone()));
                }
                "hold" if !stage.released => {
                    let (next, over) = self.changed.wait_timeout(stage, Duration::from_secs(30)).unwrap();
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
