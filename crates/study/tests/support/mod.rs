//! What the tests of study definitions share: case files, tables as text, recording, and the text of a real file.
//! The form of a case file is told in `cases/README.md`.

pub mod case;
pub mod print;
pub mod recorder;
pub mod tables;
