//! Puts the stand-in studies into the program: each file that `studies.txt` names, as (path, bytes).

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let here = env::var("CARGO_MANIFEST_DIR")?;
    let studies = Path::new(&here).join("../../studies");
    let list = Path::new(&here).join("studies.txt");
    println!("cargo::rerun-if-changed={}", list.display());
    let mut code = String::from("&[\n");
    for path in fs::read_to_string(&list)?.lines() {
        let file = studies.join(path).canonicalize().map_err(|error| format!("{path}: {error}"))?;
        println!("cargo::rerun-if-changed={}", file.display());
        writeln!(code, "    ({path:?}, include_bytes!({:?})),", file.display().to_string())?;
    }
    code.push_str("]\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("studies.rs"), code)?;
    Ok(())
}
