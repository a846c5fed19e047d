//! What is done to people, their roles and the things they work on: the same functions for pages and the command line.
//! Spec site.md 2.1, 2.2, 10, 11.

pub mod password;
