//! Runs the recorder over one study module, inside a fence, on a copy of the workspace, and takes back one file.
//! Spec study-definitions.md 1.1 and 14, sandbox.md 10.

mod child;
mod copy;
mod failure;
mod fence;
mod fix;
mod modules;
mod package;
mod sandboxed;
mod walls;

use std::path::{Path, PathBuf};

use sandbox::folder::{FolderError, SafeFolder};

pub use child::ChildFence;
pub use failure::{RecordError, RecordFault};
pub use fence::{Ended, Fence, FenceError, How, Limits, Python, Run};
pub use modules::{is_module, modules};
pub use package::FILES as PACKAGE;
pub use sandboxed::SandboxFence;

use crate::recording::{LARGEST, Measure, Recording, StudyCall};
use copy::Copy;

/// Where the recorder leaves its one file, below the root of the copy.
const PRODUCT: &str = ".cloister/recording.json";

/// One study module to be recorded.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The folder of the repository: code, and the pinned inputs. It is copied and never changed.
    pub root: &'a Path,
    /// `study_definition` or `study_definition_x`.
    pub module: &'a str,
    /// `--param` values, by key.
    pub params: &'a [(String, String)],
    /// What the study finds as `OPENSAFELY_BACKEND`: `expectations`, or the name of a backend.
    pub backend: &'a str,
}

/// A recording and what else came of making it.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// What the study asks.
    pub recording: Recording,
    /// Its bytes; [`Recording::id`] of them is its id.
    pub json: Vec<u8>,
    /// What the study printed, shortened in the middle if it is much; it may hold anything that the study has read.
    pub printed: String,
    /// Files that the study wrote, changed or removed in its copy: they are dropped. At most [`Recorded::NAMED`] of them.
    pub dropped: Vec<PathBuf>,
    /// How many there are in all.
    pub dropped_in_all: u64,
}

impl Recorded {
    /// How many dropped files are named.
    pub const NAMED: usize = 20;

    /// The study.
    ///
    /// # Errors
    /// SD004: the module has none.
    pub fn study(&self) -> Result<&StudyCall, RecordError> {
        self.recording.study.as_ref().ok_or_else(|| failure::no_study(&self.recording))
    }

    /// The measures.
    ///
    /// # Errors
    /// SD004: the module has none.
    pub fn measures(&self) -> Result<&[Measure], RecordError> {
        self.recording.measures.as_deref().ok_or_else(|| failure::no_measures(&self.recording))
    }
}

/// Records one study module. A module without `study` or `measures` is recorded too: [`Recorded::study`] and
/// [`Recorded::measures`] say so. Faults that did not stop the recording are in [`Recording::faults`].
///
/// # Errors
/// [`RecordError::Fault`] is the study's doing, with a code, a place if there is one, and a fix; all others are this
/// machine's.
pub fn record(request: &Request<'_>, fence: &dyn Fence) -> Result<Recorded, RecordError> {
    modules::require(request.root, request.module)?;
    let copy = Copy::of(request.root)?;
    package::write_into(&copy.workspace())?;
    let run = Run {
        folder: copy.folder(),
        root: request.root,
        module: request.module,
        params: request.params,
        backend: request.backend,
    };
    let ended = fence.run(&run).map_err(|error| copy.has_room().err().unwrap_or(RecordError::Fence(error)))?;
    let printed = String::from_utf8_lossy(&ended.printed).into_owned();
    let workspace = SafeFolder::at(&copy.workspace()).map_err(RecordError::Workspace)?;
    let json = match product(&workspace) {
        Ok(json) if ended.how == How::Exited(0) => json,
        Ok(_) | Err(FolderError::Missing { .. }) => {
            copy.has_room()?;
            return Err(failure::ended(request.module, &ended, &printed));
        }
        Err(error) => return Err(failure::no_file(request.module, &error)),
    };
    let recording = Recording::parse(&json).map_err(|error| failure::not_taken(request.module, error))?;
    if recording.module != request.module || !recording.params_given.iter().eq(request.params) {
        return Err(failure::of_another(request.module));
    }
    if let Some(failure) = failure::of_exception(&recording, &printed) {
        return Err(failure);
    }
    let (dropped, dropped_in_all) = copy.changed(&workspace, Recorded::NAMED);
    Ok(Recorded { recording, json, printed, dropped, dropped_in_all })
}

/// The bytes of the product: a regular file in the copy, through no link, of at most the largest size.
fn product(workspace: &SafeFolder) -> Result<Vec<u8>, FolderError> {
    use std::io::Read as _;

    let file = workspace.open(PRODUCT)?;
    // One byte more than is taken, so that the parser says that it is too much.
    let mut bytes = Vec::new();
    let read = file.take(LARGEST as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|source| FolderError::Io { path: PRODUCT.into(), source })?;
    Ok(bytes)
}
