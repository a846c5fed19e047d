//! The command line parser that every built-in shares; it takes what Python's argparse takes (actions.md 3.7).
//! Reports all faults at once, and knows nothing of what an option means.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::fault::{Exit, Fault, FaultCode};

/// One option of an action.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OptionSpec {
    /// With its dashes: `--output`.
    pub(crate) name: &'static str,
    pub(crate) takes_value: bool,
}

pub(crate) const fn value(name: &'static str) -> OptionSpec {
    OptionSpec { name, takes_value: true }
}

pub(crate) const fn flag(name: &'static str) -> OptionSpec {
    OptionSpec { name, takes_value: false }
}

/// Arguments sorted into options and positionals.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    options: Vec<(&'static str, OsString)>,
    pub(crate) positionals: Vec<OsString>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) warnings: Vec<String>,
}

impl Parsed {
    /// The value of an option; of repeated ones the last.
    pub(crate) fn value(&self, name: &str) -> Option<&OsStr> {
        self.options.iter().rev().find(|(given, _)| *given == name).map(|(_, value)| value.as_os_str())
    }

    pub(crate) fn given(&self, name: &str) -> bool {
        self.value(name).is_some()
    }
}

pub(crate) fn bad_argument(message: impl Into<String>) -> Fault {
    Fault::new(FaultCode::BadArgument, Exit::Arguments, message)
}

enum Token<'a> {
    Option { spec: OptionSpec, value: Option<&'a [u8]> },
    Ambiguous(Vec<&'static str>),
    Unknown,
    Plain,
}

/// What argparse takes a token for, before any `--`.
fn classify<'a>(token: &'a [u8], specs: &[OptionSpec]) -> Token<'a> {
    if !token.starts_with(b"-") || token.len() == 1 {
        return Token::Plain;
    }
    let (name, value) = match token.iter().position(|b| *b == b'=') {
        Some(at) => (&token[..at], Some(&token[at + 1..])),
        None => (token, None),
    };
    if let Some(spec) = specs.iter().find(|spec| spec.name.as_bytes() == name) {
        return Token::Option { spec: *spec, value };
    }
    let matching: Vec<OptionSpec> = match name.starts_with(b"--") {
        true => specs.iter().filter(|spec| spec.name.as_bytes().starts_with(name)).copied().collect(),
        false => Vec::new(),
    };
    match matching.as_slice() {
        [spec] => Token::Option { spec: *spec, value },
        [] if is_negative_number(token) || token.contains(&b' ') => Token::Plain,
        [] => Token::Unknown,
        several => Token::Ambiguous(several.iter().map(|spec| spec.name).collect()),
    }
}

fn is_negative_number(token: &[u8]) -> bool {
    let digits = &token[1..];
    let (whole, fraction) = match digits.iter().position(|b| *b == b'.') {
        Some(at) => (&digits[..at], Some(&digits[at + 1..])),
        None => (digits, None),
    };
    let all = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    match fraction {
        Some(fraction) => all(whole) && !fraction.is_empty() && all(fraction),
        None => !whole.is_empty() && all(whole),
    }
}

/// Sorts the arguments. Options may stand anywhere; after a lone `--` everything is positional.
pub(crate) fn parse(args: &[OsString], specs: &[OptionSpec]) -> Parsed {
    let mut parsed = Parsed::default();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        let token = arg.as_bytes();
        if token == b"--" {
            parsed.positionals.extend(rest.by_ref().cloned());
            break;
        }
        match classify(token, specs) {
            Token::Plain => {
                if token.starts_with(b"--") {
                    let nearest =
                        nearest(token, specs).map(|name| format!(" (did you mean {name}?)")).unwrap_or_default();
                    parsed
                        .warnings
                        .push(format!("'{}' is taken as a value because it holds a space{nearest}", arg.display()));
                }
                parsed.positionals.push(arg.clone());
            }
            Token::Option { spec, value: Some(_) } if !spec.takes_value => {
                parsed.faults.push(bad_argument(format!("{} takes no value", spec.name)));
            }
            Token::Option { spec, value: Some(value) } => {
                parsed.options.push((spec.name, OsString::from_vec(value.to_vec())))
            }
            Token::Option { spec, value: None } if !spec.takes_value => {
                parsed.options.push((spec.name, OsString::new()))
            }
            Token::Option { spec, value: None } => {
                let next = rest.as_slice().first().filter(|next| {
                    next.as_bytes() != b"--" && matches!(classify(next.as_bytes(), specs), Token::Plain)
                });
                match next {
                    Some(next) => {
                        parsed.options.push((spec.name, next.clone()));
                        rest.next();
                    }
                    None => parsed.faults.push(bad_argument(format!("{} needs a value", spec.name))),
                }
            }
            Token::Ambiguous(names) => {
                let message = format!("'{}' could mean {}", arg.display(), names.join(" or "));
                parsed.faults.push(bad_argument(message).help("write the option out in full"));
            }
            Token::Unknown if token == b"--config" || token.starts_with(b"--config=") => {
                // The JSON that follows belongs to it, so that one mistake is one fault.
                if !token.contains(&b'=')
                    && rest.as_slice().first().is_some_and(|next| next.as_bytes().starts_with(b"{"))
                {
                    rest.next();
                }
                let fault = Fault::new(FaultCode::BadConfig, Exit::Arguments, "this action takes no `config:`");
                parsed.faults.push(fault.help("remove `config:` from the action in project.yaml"));
            }
            Token::Unknown => {
                let fault = bad_argument(format!("unknown option '{}'", arg.display()));
                parsed.faults.push(match nearest(token, specs) {
                    Some(name) => fault.help(format!("did you mean {name}?")),
                    None => fault.help("--help lists the options"),
                });
            }
        }
    }
    parsed
}

fn nearest(token: &[u8], specs: &[OptionSpec]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(token);
    let name: String = text.split(['=', ' ']).next().unwrap_or_default().chars().take(64).collect();
    let scored = specs.iter().map(|spec| (strsim::damerau_levenshtein(&name, spec.name), spec.name));
    scored.filter(|(distance, name)| *distance <= 2.max(name.len() / 4)).min().map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPECS: &[OptionSpec] =
        &[value("--output"), value("--dsn"), value("--dummy-data-file"), flag("--help"), flag("-h")];

    fn run(args: &[&str]) -> Parsed {
        parse(&args.iter().map(OsString::from).collect::<Vec<_>>(), SPECS)
    }

    /// Rows made with argparse: arguments, option values by position in `SPECS`, positionals, number of faults.
    #[test]
    fn tokens_are_sorted_as_argparse_does() {
        type Row = (&'static [&'static str], &'static [(&'static str, &'static str)], &'static [&'static str], usize);
        let rows: &[Row] = &[
            (&["--output", "a", "q.sql"], &[("--output", "a")], &["q.sql"], 0),
            (&["q.sql", "--output=a"], &[("--output", "a")], &["q.sql"], 0),
            (&["--output=", "q"], &[("--output", "")], &["q"], 0),
            (&["--out", "a", "q"], &[("--output", "a")], &["q"], 0),
            (&["--ou=a", "q"], &[("--output", "a")], &["q"], 0),
            (&["--output", "a", "--output", "b", "q"], &[("--output", "b")], &["q"], 0),
            (&["--output=a=b", "q"], &[("--output", "a=b")], &["q"], 0),
            (&["--", "--output", "q"], &[], &["--output", "q"], 0),
            (&["q", "--", "-x"], &[], &["q", "-x"], 0),
            (&["--d", "x", "q"], &[], &["x", "q"], 1),
            (&["--output", "--dsn", "x", "q"], &[("--dsn", "x")], &["q"], 1),
            (&["--output", "--", "q"], &[], &["q"], 1),
            (&["--output"], &[], &[], 1),
            (&["--output", "-", "q"], &[("--output", "-")], &["q"], 0),
            (&["--output", "-1", "q"], &[("--output", "-1")], &["q"], 0),
            (&["--output", "-1.5", "-.5"], &[("--output", "-1.5")], &["-.5"], 0),
            (&["--output", "-x y", "q"], &[("--output", "-x y")], &["q"], 0),
            (&["--output", "-x", "q"], &[], &["q"], 2),
            (&["--outptu", "a"], &[], &["a"], 1),
            (&["--help=1"], &[], &[], 1),
            (&["-h"], &[("-h", "")], &[], 0),
            (&[""], &[], &[""], 0),
            (&["-1."], &[], &[], 1),
        ];
        for (args, options, positionals, faults) in rows {
            let parsed = run(args);
            assert_eq!(parsed.faults.len(), *faults, "{args:?} {:?}", parsed.faults);
            assert_eq!(parsed.positionals, positionals.iter().map(OsString::from).collect::<Vec<_>>(), "{args:?}");
            for (name, value) in *options {
                assert_eq!(parsed.value(name), Some(OsStr::new(value)), "{args:?} {name}");
            }
        }
    }

    #[test]
    fn faults_name_the_nearest_option_and_config_is_its_own_fault() {
        assert_eq!(run(&["--outptu", "a"]).faults[0].help.as_deref(), Some("did you mean --output?"));
        let parsed = run(&["q", "--config", "{\"a\": 1}"]);
        assert_eq!(parsed.faults.iter().map(|f| f.code).collect::<Vec<_>>(), [FaultCode::BadConfig]);
        assert_eq!(parsed.positionals.len(), 1);
        assert_eq!(run(&["--outptu=a b c"]).warnings.len(), 1);
    }
}
