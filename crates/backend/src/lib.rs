#![doc = include_str!("../README.md")]

pub mod agent;
pub mod desk;
pub mod identity;
pub mod line;
pub mod log;

pub mod orders;
pub mod settings;
pub mod tell;
pub mod upkeep;
pub mod waivers;
pub mod work;
pub use agent::{Agent, CannotOpen, Ended, Start};
pub use settings::Settings;
