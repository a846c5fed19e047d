#![doc = include_str!("../README.md")]

pub mod access;
pub mod api;
pub mod audit;
pub mod backup;
pub mod cancel;
pub mod clock;
pub mod facts;
pub mod form;
pub mod import;
pub mod line;
pub mod live;
pub mod mirror;
pub mod pages;
pub mod people;
pub mod settings;
mod site;
pub mod staff;
pub mod store;
pub mod web;

pub use settings::{BadSettings, Settings};
pub use site::{Opened, Site, SiteError};
pub use web::{router, serve};
