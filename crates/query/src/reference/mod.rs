//! The reference interpreter (warehouse.md 10).
//! To come.
