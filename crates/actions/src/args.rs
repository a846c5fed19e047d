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
    pub(crate) takes: Takes,
}

/// What stands after an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    Nothing,
    One,
    /// At least one word, and every further one that is no option.
    Words,
}

pub(crate) const fn value(name: &'static str) -> OptionSpec {
    OptionSpec { name, takes: Takes::One }
}

pub(crate) const fn flag(name: &'static str) -> OptionSpec {
    OptionSpec { name, takes: Takes::Nothing }
}

pub(crate) const fn words(name: &'static str) -> OptionSpec {
    OptionSpec { name, takes: Takes::Words }
}

/// Arguments sorted into options and positionals.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    options: Vec<(&'static str, OsString)>,
    /// Each use of an option that takes several words.
    groups: Vec<(&'static str, Vec<OsString>)>,
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

    /// The words of an option that takes several, once for each time it was written.
    pub(crate) fn groups(&self, name: &str) -> impl Iterator<Item = &[OsString]> {
        self.groups.iter().filter(move |(given, _)| *given == name).map(|(_, words)| words.as_slice())
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
                parsed.warnings.extend(odd_value(arg, specs));
                parsed.positionals.push(arg.clone());
            }
            Token::Option { spec, value: Some(_) } if spec.takes == Takes::Nothing => {
                parsed.faults.push(bad_argument(format!("{} takes no value", spec.name)));
            }
            Token::Option { spec, value: Some(value) } => {
                let value = OsString::from_vec(value.to_vec());
                match spec.takes {
                    Takes::Words => parsed.groups.push((spec.name, vec![value])),
                    _ => parsed.options.push((spec.name, value)),
                }
            }
            Token::Option { spec, value: None } if spec.takes == Takes::Words => {
                let mut words = Vec::new();
                while let Some(next) = rest.as_slice().first().filter(|next| is_word(next, specs)) {
                    parsed.warnings.extend(odd_value(next, specs));
                    words.push(next.clone());
                    rest.next();
                }
                match words.is_empty() {
                    true => parsed.faults.push(bad_argument(format!("{} needs a value", spec.name))),
                    false => parsed.groups.push((spec.name, words)),
                }
            }
            Token::Option { spec, value: None } if spec.takes == Takes::Nothing => {
                parsed.options.push((spec.name, OsString::new()))
            }
            Token::Option { spec, value: None } => match rest.as_slice().first().filter(|next| is_word(next, specs)) {
                Some(next) => {
                    parsed.options.push((spec.name, next.clone()));
                    rest.next();
                }
                None => parsed.faults.push(bad_argument(format!("{} needs a value", spec.name))),
            },
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

/// Whether a token can be the value of the option before it.
fn is_word(token: &OsStr, specs: &[OptionSpec]) -> bool {
    token.as_bytes() != b"--" && matches!(classify(token.as_bytes(), specs), Token::Plain)
}

/// A misspelt option that holds a space counts as a value: said, because nothing else would tell.
fn odd_value(token: &OsStr, specs: &[OptionSpec]) -> Option<String> {
    let bytes = token.as_bytes();
    bytes.starts_with(b"--").then(|| {
        let nearest = nearest(bytes, specs).map(|name| format!(" (did you mean {name}?)")).unwrap_or_default();
        format!("'{}' is taken as a value because it holds a space{nearest}", token.display())
    })
}

fn nearest(token: &[u8], specs: &[OptionSpec]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(token);
    let name: String = text.split(['=', ' ']).next().unwrap_or_default().chars().take(64).collect();
    let scored = specs.iter().map(|spec| (strsim::damerau_levenshtein(&name, spec.name), spec.name));
    scored.filter(|(distance, name)| *distance <= 2.max(name.len() / 3)).min().map(|(_, name)| name)
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

    /// Made with argparse: `nargs="+"`, `action="append"`.
    #[test]
    fn an_option_of_several_words_takes_what_is_no_option() {
        const WITH_WORDS: &[OptionSpec] = &[words("--param"), value("--index-date-range"), flag("--skip-existing")];
        type Row = (&'static [&'static str], &'static [&'static [&'static str]], usize, usize);
        let rows: &[Row] = &[
            (&["--param", "a=1"], &[&["a=1"]], 0, 0),
            (&["--param=a=1", "--param=b"], &[&["a=1"], &["b"]], 0, 0),
            (&["--param", "a", "=", "1", "--skip-existing"], &[&["a", "=", "1"]], 0, 0),
            (&["--param", "a=1", "--index-dates=x to y"], &[&["a=1", "--index-dates=x to y"]], 0, 1),
            (&["--param", "a=1", "--index-date=x to y"], &[&["a=1"]], 0, 0),
            (&["--param"], &[], 1, 0),
            (&["--param", "--skip-existing"], &[], 1, 0),
            (&["--param", "-1", "--", "b"], &[&["-1"]], 0, 0),
            (&["--param="], &[&[""]], 0, 0),
        ];
        for (args, groups, faults, warnings) in rows {
            let parsed = parse(&args.iter().map(OsString::from).collect::<Vec<_>>(), WITH_WORDS);
            let found: Vec<Vec<String>> = parsed
                .groups("--param")
                .map(|words| words.iter().map(|word| word.to_str().unwrap().to_owned()).collect())
                .collect();
            assert_eq!(found, *groups, "{args:?}");
            assert_eq!((parsed.faults.len(), parsed.warnings.len()), (*faults, *warnings), "{args:?}");
        }
        let swallowed =
            parse(&["--param", "a=1", "--index-dates=x to y"].map(OsString::from), WITH_WORDS).warnings.remove(0);
        assert!(swallowed.contains("did you mean --index-date-range?"), "{swallowed}");
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
