//! What the caller tells: this program's own engines, the user's settings, and where on the machine to look.
//! Spec cli.md 5, 11, 12. Nothing here reads the environment except the functions that say so.

use std::env;
use std::path::{Path, PathBuf};

use pipeline::RuntimeRef;

/// Everything `locate`, `build` and `list` go by.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder for wheels and environments; may not exist yet.
    pub cache_dir: PathBuf,
    /// No connection may be opened (`--offline`).
    pub offline: bool,
    /// A folder of wheels to take before asking a package index (`env install` without internet).
    pub packages: Option<PathBuf>,
    /// The engines of this program.
    pub builtins: Builtins,
    /// The user's own choices, from the user's cloister.toml only.
    pub configured: Vec<Configured>,
    /// Where interpreters are looked for.
    pub places: Places,
    /// Python packages of this program's own, for every Python environment.
    pub library: Library,
}

/// Files of Python packages: paths below one folder, and texts.
pub type Library = &'static [(&'static str, &'static str)];

/// This program and the built-in actions it really has.
#[derive(Debug, Clone, Default)]
pub struct Builtins {
    /// The file of this program; bound into the sandbox and run there as `cloister action …`.
    pub program: PathBuf,
    /// `X.Y.Z`, part of the identity of what a built-in made.
    pub version: String,
    /// Which rules of `version:` its engines are to keep, as written in the project.yaml that names them.
    pub project_version: Option<String>,
    /// How measures print sums of truth values, where it is not the usual way (study-definitions.md 11).
    pub era: Option<String>,
    /// The engines.
    pub engines: Vec<BuiltinEngine>,
}

/// One engine inside this program.
#[derive(Debug, Clone)]
pub struct BuiltinEngine {
    /// The name in `run:`, as `sqlrunner`.
    pub name: String,
    /// What one of its versions runs as; `None` for a version that it does not know.
    pub profile: fn(&RuntimeRef) -> Option<Profile>,
}

/// A way to behave, shared by some versions of a built-in action: what its revision made once, it makes again (spec
/// actions.md 2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// `v0.0.48`, the first version that behaved so.
    pub name: String,
    /// Raised with every change of an output.
    pub revision: u32,
}

/// A choice of the user for one runtime: `runtime."name:tag"` in cloister.toml.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configured {
    /// Name and tag; `latest` and what it stands for are the same.
    pub reference: RuntimeRef,
    /// What to take.
    pub choice: Choice,
}

/// What `runtime."name:tag"` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// An environment: a folder with `bin/`, or an executable in such a folder.
    Native(PathBuf),
    /// The container image; this version cannot start containers and says so.
    Container,
}

/// Folders in which programs named `python3.N` and `Rscript` are looked for, in this order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Places {
    /// Absolute folders; each is looked at once.
    pub folders: Vec<PathBuf>,
}

impl Places {
    /// This machine's: `PATH`, then every version of pyenv and uv, then the system's folders.
    ///
    /// Reads `PATH`, `HOME` and `PYENV_ROOT`. Relative folders, shims (which only choose among what is found anyway)
    /// and folders inside `project` are left out: nothing that belongs to a study is executed outside the sandbox.
    pub fn here(project: Option<&Path>) -> Self {
        let path = env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default();
        let home = env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
        let pyenv = env::var_os("PYENV_ROOT").map(PathBuf::from).or_else(|| home.as_ref().map(|h| h.join(".pyenv")));
        let mut several = Vec::new();
        if let Some(pyenv) = &pyenv {
            several.push((pyenv.join("versions"), "bin"));
        }
        if let Some(home) = &home {
            several.push((home.join(".local/share/uv/python"), "bin"));
        }
        Self::among(path, &several, pyenv.map(|pyenv| pyenv.join("shims")).as_deref(), project)
    }

    fn among(path: Vec<PathBuf>, several: &[(PathBuf, &str)], shims: Option<&Path>, project: Option<&Path>) -> Self {
        let mut folders: Vec<PathBuf> = Vec::new();
        let system = ["/usr/local/bin", "/usr/bin"].map(PathBuf::from);
        let versions = several.iter().flat_map(|(parent, below)| subfolders(parent, below));
        for folder in path.into_iter().chain(versions).chain(system) {
            let studys = project.is_some_and(|project| is_inside(&folder, project));
            if folder.is_absolute() && Some(folder.as_path()) != shims && !studys && !folders.contains(&folder) {
                folders.push(folder);
            }
        }
        Self { folders }
    }
}

/// `{parent}/*/{below}` in order of name; empty if there is no such folder.
fn subfolders(parent: &Path, below: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(parent) else { return Vec::new() };
    let mut found: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path().join(below)).filter(|folder| folder.is_dir()).collect();
    found.sort();
    found
}

fn is_inside(folder: &Path, project: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    folder.starts_with(project) || real(folder).starts_with(real(project))
}

/// The folder for wheels and environments: `CLOISTER_CACHE_DIR`, else `$XDG_CACHE_HOME/cloister`, else
/// `~/.cache/cloister`. `None` if none of these is an absolute path.
pub fn default_cache_dir() -> Option<PathBuf> {
    let of = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    of("CLOISTER_CACHE_DIR")
        .or_else(|| of("XDG_CACHE_HOME").map(|folder| folder.join("cloister")))
        .or_else(|| of("HOME").map(|folder| folder.join(".cache/cloister")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_folders_shims_and_the_study_are_left_out() {
        let home = tempfile::tempdir().unwrap();
        let at = |path: &str| home.path().join(path);
        for folder in ["versions/3.8.18/bin", "versions/3.10.13/bin", "versions/odd", "study/venv/bin"] {
            std::fs::create_dir_all(at(folder)).unwrap();
        }
        std::os::unix::fs::symlink(at("study"), at("link")).unwrap();
        let path = vec![
            PathBuf::from("bin"),
            at("shims"),
            at("study/venv/bin"),
            at("link/venv/bin"),
            "/usr/bin".into(),
            "/usr/bin".into(),
        ];
        let places = Places::among(
            path,
            &[(at("versions"), "bin"), (at("none"), "bin")],
            Some(&at("shims")),
            Some(&at("study")),
        );
        let expected =
            ["/usr/bin".into(), at("versions/3.10.13/bin"), at("versions/3.8.18/bin"), "/usr/local/bin".into()];
        assert_eq!(places.folders, expected);
    }
}
