#![doc = include_str!("../README.md")]

mod cell;
mod column;
mod csv;
mod families;
mod fault;
mod folder;
mod hes;
mod parquet;
mod patient_file;
mod privacy;
mod table;

pub use fault::{Code, Fault, Faults};
pub use folder::{Folder, Supplied, open, open_with};
pub use hes::Hes;
pub use patient_file::read_patient_file;
pub use privacy::{Filter, Hidden, Policy};
pub use table::{Note, read_csv, read_parquet};
