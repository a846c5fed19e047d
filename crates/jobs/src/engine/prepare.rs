//! Builds the volume of an attempt: code and pinned inputs in a fresh workspace, and the order for the sandbox.
//! Spec jobs.md 9 (step 4), 10; sandbox.md 5.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use runtimes::Program;
use sandbox::folder::{RemoveError, SafeFolder, remove_tree};
use sandbox::{RunName, Spec};

use super::evidence;
use super::{RunSettings, Waived, Work, Workshop};
use crate::collect::CollectedOutput;
use crate::collect::StoredInput;
use crate::provenance::{Collision, InputFile, PinnedOutput, workspace_inputs};
use crate::state::{Job, State, StateError};
use crate::store::Store;
use crate::tree::{Input, LayoutError, Tree, make_parents};
use crate::{AttemptId, JobId, Leave};

/// The files a job reads from the jobs it is pinned to.
#[derive(Debug, Clone, Default)]
pub(super) struct Inputs {
    /// Sorted by path.
    pub(super) files: Vec<InputFile>,
    sizes: BTreeMap<(JobId, String), u64>,
    /// Paths that two pinned jobs offer.
    pub(super) collisions: Vec<Collision>,
}

impl Inputs {
    /// What the pinned jobs recorded; where a person changed a file since, what is there now.
    pub(super) async fn of(state: &State, work: &Work) -> Result<Self, StateError> {
        let pinned: Vec<JobId> = work.job.pins.iter().map(|pin| pin.job).collect();
        let mut recorded = state.outputs_of(&pinned).await?;
        let mut offered = Vec::new();
        let mut sizes = BTreeMap::new();
        for pin in &work.job.pins {
            let finished_at = state.job(pin.job).await?.times.completed_at.unwrap_or(0);
            for CollectedOutput { path, level, size, object, .. } in recorded.remove(&pin.job).unwrap_or_default() {
                let now = work.edited.get(&(pin.job, path.clone()));
                let (object, size) = now.copied().unwrap_or((object, size));
                sizes.insert((pin.job, path.clone()), size);
                let file = InputFile { path, object, action: pin.action.clone(), job: pin.job, level };
                offered.push(PinnedOutput { file, finished_at });
            }
        }
        let (files, collisions) = workspace_inputs(offered);
        Ok(Self { files, sizes, collisions })
    }

    fn laid_out(&self) -> Vec<Input> {
        let size = |file: &InputFile| self.sizes.get(&(file.job, file.path.clone())).copied().unwrap_or(0);
        self.files.iter().map(|f| Input { path: f.path.clone(), object: f.object, size: size(f) }).collect()
    }

    /// As the collection wants them.
    pub(super) fn stored(&self) -> Vec<StoredInput> {
        let stored = |f: &InputFile| StoredInput { path: f.path.clone(), object: f.object, level: f.level };
        self.files.iter().map(stored).collect()
    }
}

/// A volume that is ready for its sandbox.
pub(super) struct Prepared {
    pub(super) spec: Spec,
    /// Code and inputs as laid out.
    pub(super) tree: Tree,
    /// Opened before anything of the job runs.
    pub(super) workspace: SafeFolder,
}

/// Why there is no volume.
#[derive(Debug, thiserror::Error)]
pub(super) enum PrepareError {
    #[error(transparent)]
    Layout(#[from] LayoutError),
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Folder(#[from] sandbox::folder::FolderError),
    #[error(transparent)]
    Remove(#[from] RemoveError),
    #[error("{0}")]
    Waivers(String),
}

/// The folder of an attempt.
pub(crate) fn volume(volumes: &Path, attempt: AttemptId) -> PathBuf {
    volumes.join(attempt.to_string())
}

/// Removes a volume with whatever its sandbox left on the machine; half-built ones too. Blocks.
///
/// # Errors
/// What is left and why, in words.
pub(crate) fn remove_volume(runtime: &dyn sandbox::Runtime, volume: &Path) -> Result<(), String> {
    let spec = fs::read(volume.join("spec.json")).ok().and_then(|text| serde_json::from_slice::<Spec>(&text).ok());
    match spec.filter(|spec| spec.folder == volume) {
        Some(spec) => runtime.remove(&spec).map_err(|error| error.to_string()),
        None => remove_tree(volume).map(drop).map_err(|error| error.to_string()),
    }
}

/// Blocks. `waived` is what the rules of this machine say of the job's SQL. The volume gets its name only when it is complete.
pub(super) fn prepare(
    shop: &Workshop,
    work: &Work,
    inputs: &Inputs,
    attempt: AttemptId,
    waived: Result<Option<Vec<Waived>>, String>,
    leave: &Leave,
) -> Result<Prepared, PrepareError> {
    let folder = volume(&shop.volumes, attempt);
    let tree = work.tree.with_inputs(&inputs.laid_out()).map_err(LayoutError::from)?;
    // One that is there is complete: an attempt that was taken over has it already.
    if !folder.exists() {
        let half = shop.volumes.join(format!("{attempt}.tmp"));
        remove_tree(&half)?;
        if let Err(error) = build(shop, work, &tree, &half, &folder, leave) {
            // What cannot be removed now is found at the next start.
            let _ = remove_tree(&half);
            return Err(error);
        }
    }
    let workspace = SafeFolder::at(&folder.join("workspace"))?;
    let mut program = work.program.clone();
    if let Some(waived) = waived.map_err(PrepareError::Waivers)? {
        program = program.with_waived_sql(waived.into_iter().map(|file| file.sql.hex()).collect());
    }
    if shop.publisher.wants_evidence() && evidence::is_made(&work.job.definition) {
        program = program.with_evidence(evidence::INSIDE);
    }
    let spec = spec(&shop.settings, &program, &work.job, folder, attempt);
    Ok(Prepared { spec, tree, workspace })
}

fn build(
    shop: &Workshop,
    work: &Work,
    tree: &Tree,
    half: &Path,
    folder: &Path,
    leave: &Leave,
) -> Result<(), PrepareError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| PrepareError::Io { path, source }
    };
    for name in ["workspace", "tmp"] {
        let path = half.join(name);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(io(&path))?;
    }
    let laid_out = SafeFolder::at(&half.join("workspace"))?;
    tree.write_with(&shop.store, &laid_out, leave)?;
    make_parents(&laid_out, work.job.definition.outputs.iter().map(|output| &output.pattern))?;
    fs::rename(half, folder).map_err(io(folder))
}

/// What the sandbox is told.
fn spec(settings: &RunSettings, program: &Program, job: &Job, folder: PathBuf, attempt: AttemptId) -> Spec {
    let definition = &job.definition;
    let mut env = program.env.clone();
    for (name, value) in &definition.environment {
        env.retain(|(known, _)| known != name);
        env.push((name.clone(), value.clone()));
    }
    let mut limits = settings.limits.clone();
    limits.memory = definition.memory_bytes.unwrap_or(limits.memory);
    limits.cpus = definition.cpu_millis.map_or(limits.cpus, |millis| millis.div_ceil(1000).max(1));
    limits.time = definition.time_limit_seconds.map(Duration::from_secs).or(limits.time);
    Spec {
        name: RunName(attempt.to_string()),
        root: program.root.clone(),
        argv: program.argv(definition.words.get(1..).unwrap_or_default()),
        env,
        folder,
        limits,
        grace: settings.grace,
        isolation: settings.isolation,
        die_with_parent: settings.die_with_parent,
    }
}

/// Whether the store has every input; the first that it lacks.
pub(super) fn missing_input(store: &Store, inputs: &Inputs) -> Option<InputFile> {
    inputs.files.iter().find(|file| !store.contains(file.object)).cloned()
}
