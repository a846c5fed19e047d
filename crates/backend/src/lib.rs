#![doc = include_str!("../README.md")]

pub mod agent;
pub mod desk;
pub mod identity;
pub mod line;
pub mod log;
pub mod settings;

pub use agent::{Agent, CannotOpen, Ended, Start};
pub use settings::Settings;
