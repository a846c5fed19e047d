//! The words of the commands whose output is for other programs: `schema`, `completions`. Spec cli.md 10.

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct Schema {
    /// Which format
    #[arg(value_enum, default_value = "project")]
    pub(crate) what: SchemaName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaName {
    /// project.yaml
    Project,
    /// What `check --format json` prints
    Check,
    /// What `plan --format json` prints
    Plan,
    /// Each line that `run --json` prints
    Events,
    /// cloister.toml
    Config,
}

#[derive(Debug, Args)]
#[command(
    after_help = "To have it in every new shell, put the line into its start file:\n  bash  ~/.bashrc                  source <(cloister completions bash)\n  zsh   ~/.zshrc                   source <(cloister completions zsh)\n  fish  ~/.config/fish/config.fish cloister completions fish | source"
)]
pub(crate) struct Completions {
    /// Which shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
    Elvish,
}

impl Shell {
    /// As the completion engine calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
            Self::Powershell => "powershell",
            Self::Elvish => "elvish",
        }
    }
}
