#![doc = include_str!("../README.md")]

mod builder;
mod catalogue;
mod graph;
mod json;
pub mod reference;
mod run_code;
pub mod spelling;
mod tables;
pub mod totals;
mod validate;
mod value;

pub use builder::{Builder, Joined, SortKey, Then};
pub use catalogue::{Catalogue, CatalogueError, Class, Column, ColumnKind, PATIENT_ID, Table};
pub use graph::*;
pub use validate::{Code, Fault, Severity, validate};
pub use value::{Type, Value};
