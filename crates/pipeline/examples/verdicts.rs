//! Prints for each file named on the command line whether it loads, and the codes of its errors: `FILE ok` or
//! `FILE P404,P515`. For comparing with another reader (benches/differential.py).

use std::collections::BTreeSet;

fn main() -> std::io::Result<()> {
    for name in std::env::args().skip(1) {
        let loaded = pipeline::load(&std::fs::read(&name)?, "project.yaml");
        let errors: BTreeSet<&str> =
            loaded.diagnostics.iter().filter(|d| d.severity == pipeline::Severity::Error).map(|d| d.code.0).collect();
        let errors: Vec<&str> = errors.into_iter().collect();
        println!("{name} {}", if errors.is_empty() { "ok".to_owned() } else { errors.join(",") });
    }
    Ok(())
}
