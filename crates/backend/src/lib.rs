#![doc = include_str!("../README.md")]

pub mod desk;
pub mod log;
pub mod orders;
pub mod tell;
pub mod work;
