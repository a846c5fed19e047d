//! The `cloister` program.
#[allow(dead_code, reason = "called by the command line that is still to come")]
mod unzip;

fn main() {}
