#![doc = include_str!("../README.md")]

extern crate self as ui;

pub mod assets;
pub mod html;
pub mod icon;
pub mod page;
pub mod time;
