//! The words of `cloister env`: what a runtime is on this machine, and building it.
//! Spec cli.md 5 and 12.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use clap_complete::ArgValueCandidates;

use super::TextFormat;
use crate::completions::runtimes;

#[derive(Debug, Args)]
pub(crate) struct Env {
    #[command(subcommand)]
    pub(crate) command: EnvCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EnvCommand {
    /// What each runtime is on this machine
    List {
        /// How to print
        #[arg(long, value_enum, default_value = "human")]
        format: TextFormat,
    },
    /// Build runtimes now, for use without a network later
    Install {
        /// Such as python:v1, jupyter or r:v2
        #[arg(required = true, value_name = "NAME[:TAG]", add = ArgValueCandidates::new(runtimes))]
        runtimes: Vec<String>,
        /// Take packages from this folder where it has them, instead of the network
        #[arg(long, value_name = "DIR")]
        packages: Option<PathBuf>,
    },
}
