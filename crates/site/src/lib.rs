#![doc = include_str!("../README.md")]

pub mod access;
pub mod form;
pub mod mirror;
pub mod settings;
mod site;
pub mod store;
pub mod web;

pub use settings::Settings;
pub use site::{Opened, Site, SiteError};
pub use web::{router, serve};
