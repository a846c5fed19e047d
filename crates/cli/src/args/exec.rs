//! The words of `cloister exec`. Spec cli.md 8.

use clap::Args;
use clap_complete::ArgValueCompleter;

use crate::completions::RuntimeThenAnything;

#[derive(Debug, Args)]
#[command(
    after_help = "Options stand before the image; everything after it belongs to the command.\n\nExamples:\n  cloister exec python:v2 python analysis/look.py\n  cloister exec -e DEBUG=1 r Rscript -e 'R.version.string'\n  cloister exec python                      a prompt of Python\n\nThis folder is /workspace and can be written. There is no network unless you ask for it.\nYour home, cloister's own folder and what holds them are refused: go to your study's folder first."
)]
pub(crate) struct Exec {
    /// Start this program of the runtime, with all arguments
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) entrypoint: Option<String>,
    /// A variable for the command; without a value it is taken from here (repeatable)
    #[arg(short, long, value_name = "NAME[=VALUE]")]
    pub(crate) env: Vec<String>,
    /// User as the command sees itself: a number, number:number, root or job
    #[arg(short, long, value_name = "USER")]
    pub(crate) user: Option<String>,
    /// Memory, such as 4G or 512M; at least 64M [default: 4G]
    #[arg(short, long, value_name = "SIZE")]
    pub(crate) memory: Option<String>,
    /// Processors [default: 2]
    #[arg(long, alias = "cpu", value_name = "N")]
    pub(crate) cpus: Option<u32>,
    /// Say what is executed
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// Let the command use the network of this machine
    #[arg(long)]
    pub(crate) allow_network: bool,
    /// The runtime, then the command
    #[arg(required = true, trailing_var_arg = true, add = ArgValueCompleter::new(RuntimeThenAnything), value_name = "IMAGE[:TAG] [ARG]")]
    pub(crate) words: Vec<String>,
}
