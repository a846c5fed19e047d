//! Measures every pair of text and ground that the style sheet uses, in light and in dark, by the formula of WCAG 2.2.
//! Text needs 4.5 : 1 (success criterion 1.4.3), drawings and borders that mean something 3 : 1 (1.4.11).

#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use std::collections::BTreeMap;

const STYLE: &str = include_str!("../assets/style.css");

/// (text, grounds it stands on)
const TEXT: &[(&str, &[&str])] = &[
    ("ink", &["bg", "card", "code", "mark"]),
    ("soft", &["bg", "card", "mark"]),
    ("link", &["bg", "card", "mark"]),
    ("moss", &["card"]),
    ("on-moss", &["moss"]),
    ("ok", &["ok-bg"]),
    ("bad", &["bad-bg", "card", "bg"]),
    ("run", &["run-bg"]),
    ("wait", &["wait-bg"]),
    ("off", &["off-bg"]),
    ("hi", &["hi-bg", "card"]),
    ("mid", &["mid-bg", "card"]),
    ("low", &["low-bg"]),
    ("y-key", &["card", "mark", "bad-bg"]),
    ("y-note", &["card", "mark"]),
    ("y-text", &["card", "mark", "hi-bg", "mid-bg", "bad-bg"]),
    ("y-num", &["card", "mark"]),
    ("ink", &["bad-bg", "ok-bg", "run-bg", "wait-bg", "off-bg"]),
];
const DRAWINGS: &[(&str, &[&str])] = &[
    ("ok-bar", &["card", "ok-bg"]),
    ("bad-bar", &["card", "bad-bg"]),
    ("run-bar", &["card", "run-bg"]),
    ("wait-bar", &["card", "wait-bg"]),
    ("off-bar", &["card", "off-bg"]),
    ("edge", &["bg", "card"]),
    ("focus", &["bg", "card"]),
];

fn variables(block: &str) -> BTreeMap<&str, &str> {
    block
        .split(['{', ';', '}', '\n'])
        .filter_map(|d| d.trim().strip_prefix("--")?.split_once(':'))
        .filter(|(_, value)| value.starts_with('#'))
        .collect()
}

fn luminance(colour: &str) -> f64 {
    let hex = colour.trim_start_matches('#');
    let hex: String = if hex.len() == 3 { hex.chars().flat_map(|c| [c, c]).collect() } else { hex.into() };
    let part = |at: usize| {
        let value = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * part(0) + 0.7152 * part(2) + 0.0722 * part(4)
}

fn contrast(a: &str, b: &str) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn black_on_white_is_21() {
    assert!((contrast("#000", "#ffffff") - 21.0).abs() < 1e-9);
    // The grey that WCAG's own techniques give as the lightest that passes on white.
    assert!(contrast("#767676", "#fff") >= 4.5 && contrast("#777777", "#fff") < 4.5);
}

#[test]
fn every_pair_can_be_read_in_light_and_in_dark() {
    let (light, dark) = STYLE.split_once("@media screen and (prefers-color-scheme:dark)").unwrap();
    let dark = &dark[..dark.find("}}").unwrap()];
    let (light, dark) = (variables(light), variables(dark));
    assert_eq!(light.keys().collect::<Vec<_>>(), dark.keys().collect::<Vec<_>>(), "each colour has two schemes");
    let mut poor = Vec::new();
    for (scheme, colours) in [("light", &light), ("dark", &dark)] {
        for (pairs, least) in [(TEXT, 4.5), (DRAWINGS, 3.0)] {
            for (colour, grounds) in pairs {
                for ground in *grounds {
                    let found = contrast(colours[colour], colours[ground]);
                    if found < least {
                        poor.push(format!("{scheme}: {colour} on {ground} is {found:.2}, not {least}"));
                    }
                }
            }
        }
    }
    assert!(poor.is_empty(), "{poor:#?}");
}
