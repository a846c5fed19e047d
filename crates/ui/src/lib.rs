#![doc = include_str!("../README.md")]

// Templates name our escaper as `::ui::…`, here as in other rooms.
extern crate self as ui;

pub mod assets;
pub mod bars;
pub mod form;
pub mod graph;
pub mod html;
pub mod icon;
pub mod list;
pub mod markdown;
pub mod page;
pub mod time;
pub mod yaml;
