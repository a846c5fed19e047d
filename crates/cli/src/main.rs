//! The `cloister` program.
fn main() {}
