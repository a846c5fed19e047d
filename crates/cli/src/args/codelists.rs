//! The words of `cloister codelists`. Spec cli.md 7.2.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::TextFormat;

#[derive(Debug, Args)]
pub(crate) struct Codelists {
    #[command(subcommand)]
    pub(crate) command: CodelistsCommand,
}

/// What every one of them takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct CodelistsCommon {
    /// How to print
    #[arg(long, value_enum, default_value = "human")]
    pub(crate) format: TextFormat,
    /// The study folder [default: this folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) project_dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CodelistsCommand {
    /// Add versions of codelists to this study and download them
    Add {
        /// The address of a version's page or of its download, or organisation/codelist/version
        #[arg(required = true, value_name = "URL")]
        urls: Vec<String>,
        /// Put the version in place of another one of the same codelist
        #[arg(long)]
        replace: bool,
        #[command(flatten)]
        common: CodelistsCommon,
    },
    /// Download everything that codelists/codelists.txt lists
    Update {
        /// Also remove CSV files that nothing lists and that could not be had again
        #[arg(long)]
        delete_unlisted: bool,
        #[command(flatten)]
        common: CodelistsCommon,
    },
    /// Check that the files are as downloaded for what is listed, and up to date with their source
    Check(CodelistsCommon),
    /// Only ask whether the source has changed
    CheckUpstream(CodelistsCommon),
    /// Compare the files with the same versions at their source, code by code
    Diff {
        /// Only these: ids, or names of files
        #[arg(value_name = "ID")]
        ids: Vec<String>,
        #[command(flatten)]
        common: CodelistsCommon,
    },
}
