//! dataset-report: an HTML page about the columns of each file, which tells nothing about single patients (actions.md 5).
//! Files are read as streams into counters; the page is made from what of them may be shown.

mod protect;
mod rounding;
