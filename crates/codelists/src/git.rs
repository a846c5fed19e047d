//! Whether git could give a file back. Only the name of an object is asked for: nothing that a repository's settings
//! name is ever run (spec cli.md 12).

use std::path::Path;
use std::process::{Command, Stdio};

use sha1::Digest;

/// Whether the last commit has exactly this content at this path beneath the folder.
pub(crate) fn can_restore(folder: &Path, path: &str, content: &[u8]) -> bool {
    let asked = Command::new("git")
        .args(["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("HEAD:./{path}")])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let Ok(answer) = asked else { return false };
    let committed = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
    let mut hash = sha1::Sha1::new();
    hash.update(format!("blob {}\0", content.len()));
    hash.update(content);
    answer.status.success() && committed == data_encoding::HEXLOWER.encode(&hash.finalize())
}
