//! What an environment needs besides its packages: the notebook kernel, and in an extension the way to what it extends.
//! Spec cli.md 5: a kernel named `python3`; `python` and `jupyter` of one generation share their packages.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::environment::Environment;
use crate::program::is_executable;

/// A script that pip made begins with its interpreter; longer first lines are not ours.
const FIRST_LINE: usize = 1024;
/// A script of pip's is a few hundred bytes; anything larger is a program of its own.
const SCRIPT_BYTES: u64 = 64 * 1024;

pub(super) fn finish_python(environment: &Environment) -> io::Result<()> {
    if let Some(base) = &environment.base {
        extend(environment, base)?;
    }
    let kernel = environment.folder.join("share/jupyter/kernels/python3");
    fs::create_dir_all(&kernel)?;
    let command = serde_json::json!({
        "argv": [environment.python(), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "Python 3",
        "language": "python",
    });
    fs::write(kernel.join("kernel.json"), serde_json::to_vec_pretty(&command)?)
}

/// Makes the packages and the programs of `base` part of `environment`.
fn extend(environment: &Environment, base: &Environment) -> io::Result<()> {
    let folder = serde_json::to_string(&base.site_packages())?;
    let line = format!("import site; site.addsitedir({folder})\n");
    fs::write(environment.site_packages().join("cloister-base.pth"), line)?;
    for entry in fs::read_dir(base.bin())? {
        let entry = entry?;
        let target = environment.bin().join(entry.file_name());
        let is_script = entry.file_type()?.is_file() && entry.metadata()?.len() <= SCRIPT_BYTES;
        if !is_script || target.symlink_metadata().is_ok() || !is_executable(&entry.path()) {
            continue;
        }
        // A copy that starts this environment's interpreter, which sees the packages of both.
        if let Some(script) = retarget(&fs::read(entry.path())?, &base.python(), &environment.python()) {
            fs::write(&target, script)?;
            fs::set_permissions(&target, fs::Permissions::from_mode(0o755))?;
        }
    }
    Ok(())
}

/// The script with its interpreter replaced; `None` if it does not start `from`.
fn retarget(script: &[u8], from: &Path, to: &Path) -> Option<Vec<u8>> {
    let end = script.iter().take(FIRST_LINE).position(|byte| *byte == b'\n')?;
    let first = std::str::from_utf8(&script[..end]).ok()?;
    let program = first.strip_prefix("#!")?.trim();
    // pip writes the name it was given or the one it was started by: `python`, `python3`, `python3.8`.
    if Path::new(program).parent() != from.parent() {
        return None;
    }
    let mut new = format!("#!{}", to.display()).into_bytes();
    new.extend_from_slice(&script[end..]);
    Some(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_scripts_of_the_base_are_retargeted() {
        let (from, to) = (Path::new("/b/bin/python"), Path::new("/e/bin/python"));
        let new = |text: &str| retarget(text.as_bytes(), from, to).map(|bytes| String::from_utf8(bytes).unwrap());
        assert_eq!(new("#!/b/bin/python\nimport x\n").unwrap(), "#!/e/bin/python\nimport x\n");
        assert_eq!(new("#!/b/bin/python3.8\nx").unwrap(), "#!/e/bin/python\nx");
        assert_eq!(new("#!/usr/bin/env python\nx"), None);
        assert_eq!(new("#!/b/bin/python"), None);
        assert_eq!(new("\u{7f}ELF\n"), None);
    }
}
