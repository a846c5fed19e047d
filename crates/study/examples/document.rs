//! Prints the user documentation of study definitions, made from the table of functions:
//! `cargo run -p study --example document > docs/study-definitions.md`.

fn main() {
    print!("{}", study::functions::document());
}
