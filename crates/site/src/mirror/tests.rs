//! Real repositories, made by the system's git.
