#![doc = include_str!("../README.md")]

mod studies;

pub use studies::RepositoryError;
