//! What Stata code runs by a literal name: `do`, `run`, `include`.
//! Spec jobs.md 17.

use super::{Reference, Start};

/// Every line that runs another do-file whose name holds no macro.
pub(super) fn references(text: &str) -> Vec<Reference> {
    text.lines().filter_map(of_line).collect()
}

fn of_line(line: &str) -> Option<Reference> {
    let mut rest = line.trim_start();
    for prefix in ["capture ", "quietly ", "noisily ", "cap ", "qui ", "noi "] {
        rest = rest.strip_prefix(prefix).map_or(rest, str::trim_start);
    }
    let (command, rest) = rest.split_once([' ', '\t'])?;
    if !matches!(command, "do" | "run" | "include") {
        return None;
    }
    let rest = rest.trim_start();
    let path = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => rest.split_whitespace().next()?,
    };
    if path.is_empty() || path.contains(['`', '$', '\'']) {
        return None;
    }
    let path = path.replace('\\', "/");
    let path = if path.rsplit('/').next()?.contains('.') { path } else { path + ".do" };
    Some(Reference::File { path, from: Start::RootThenBeside })
}
