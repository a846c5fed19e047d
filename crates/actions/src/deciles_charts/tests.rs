//! What cases cannot show: values on the disk, random files against a naive model, killed runs.
//! Everything else about deciles-charts is a case under `cases/deciles-charts`.
