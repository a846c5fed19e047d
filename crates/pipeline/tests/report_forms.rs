//! The forms of diagnostics, on diagnostics made by hand: shape, folding, cutting, escaping, fixes.
//! Expected texts are written from spec project-yaml.md 11 and 12.1.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail here")]

use pipeline::report::{
    CheckDocument, HumanOptions, ProjectInfo, apply_fixes, diff, github, human, json, sarif, short,
};
use pipeline::{Applicability, Code, Diagnostic, Edit, Fix, Label, PathStep, Position, Severity, Span};
use proptest::prelude::*;

const PLAIN: HumanOptions = HumanOptions { color: false, ascii: false, width: 80 };
const ASCII: HumanOptions = HumanOptions { color: false, ascii: true, width: 80 };

fn position(source: &str, offset: usize) -> Position {
    let before = &source[..offset];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
    Position { line: line as u32, column: column as u32, offset }
}

/// The range of the `nth` occurrence of a text.
fn span(source: &str, text: &str, nth: usize) -> Span {
    let start = source.match_indices(text).nth(nth).unwrap().0;
    Span { start: position(source, start), end: position(source, start + text.len()) }
}

fn fault(code: &'static str, severity: Severity, message: &str, span: Option<Span>) -> Diagnostic {
    Diagnostic {
        code: Code(code),
        severity,
        message: message.to_owned(),
        label: "no action has this name".to_owned(),
        help: None,
        span,
        labels: Vec::new(),
        at: Vec::new(),
        action: None,
        fixes: Vec::new(),
    }
}

/// A source of many lines, so that the example stands where the specification has it.
fn example() -> (String, Diagnostic) {
    let mut source = "#\n".repeat(30);
    source.push_str("    needs: [make_tabel, clean]\n");
    let mut d = fault(
        "P404",
        Severity::Error,
        "action `describe` needs `make_tabel`, which does not exist",
        Some(span(&source, "make_tabel", 0)),
    );
    d.help = Some("did you mean `make_table` (line 18)?".to_owned());
    (source, d)
}

#[test]
fn human_has_the_shape_of_the_specification() {
    let (source, d) = example();
    let expected = "\
error[P404]: action `describe` needs `make_tabel`, which does not exist
   ┌─ project.yaml:31:13
31 │     needs: [make_tabel, clean]
   │             ^^^^^^^^^^ no action has this name
   = help: did you mean `make_table` (line 18)?
";
    assert_eq!(human(&source, "project.yaml", std::slice::from_ref(&d), &PLAIN), expected);
    let ascii = expected.replace("┌─", "-->").replace('│', "|");
    assert_eq!(human(&source, "project.yaml", &[d], &ASCII), ascii);
}

#[test]
fn colour_changes_no_character() {
    let (source, d) = example();
    let plain = human(&source, "project.yaml", std::slice::from_ref(&d), &PLAIN);
    let colored = human(&source, "project.yaml", &[d], &HumanOptions { color: true, ..PLAIN });
    assert_ne!(plain, colored);
    let mut stripped = String::new();
    let mut rest = colored.as_str();
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        stripped.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    stripped.push_str(rest);
    assert_eq!(stripped, plain);
}

#[test]
fn secondary_ranges_are_labelled_in_order_of_lines() {
    let source = "a: 1\nb: 2\nc: 3\nd: 4\na: 5\n";
    let mut d = fault("P005", Severity::Error, "the key `a` is written twice", Some(span(source, "a", 1)));
    d.label = "again here".to_owned();
    d.labels = vec![Label { span: span(source, "a", 0), message: "first here".to_owned() }];
    let expected = "\
error[P005]: the key `a` is written twice
  --> p.yaml:5:1
1 | a: 1
  | - first here
  .
5 | a: 5
  | ^ again here
";
    assert_eq!(human(source, "p.yaml", &[d], &ASCII), expected);
}

#[test]
fn ranges_on_one_line_have_a_row_each_and_long_labels_go_below() {
    let source = "needs: [aa, bb, aa]\n";
    let mut d = fault("P407", Severity::Warning, "`aa` is needed twice", Some(span(source, "aa", 1)));
    d.label = "one two three four five six seven eight nine ten eleven twelve thirteen".to_owned();
    d.labels = vec![Label { span: span(source, "aa", 0), message: "first here".to_owned() }];
    let expected = "\
warning[P407]: `aa` is needed twice
  --> p.yaml:1:17
1 | needs: [aa, bb, aa]
  |         -- first here
  |                 ^^
  |                 one two three four five six seven eight nine ten eleven
  |                 twelve thirteen
";
    assert_eq!(human(source, "p.yaml", &[d], &ASCII), expected);
}

#[test]
fn a_value_of_several_lines_is_underlined_on_its_first() {
    let source = "run: >\n  python:v2\n  x.py\n";
    let at = Span { start: position(source, 5), end: position(source, 18) };
    let d = fault("P302", Severity::Error, "m", Some(at));
    let expected = "\
error[P302]: m
  --> p.yaml:1:6
1 | run: >
  |      ^ no action has this name (up to line 2)
";
    assert_eq!(human(source, "p.yaml", &[d], &ASCII), expected);
}

#[test]
fn the_whole_file_and_its_end_have_a_place() {
    let d = fault("P004", Severity::Error, "the file is empty", None);
    assert_eq!(human("", "p.yaml", &[d], &ASCII), "error[P004]: the file is empty\n  --> p.yaml\n");
    let end = Position { line: 1, column: 3, offset: 2 };
    let d = fault("P002", Severity::Error, "m", Some(Span { start: end, end }));
    assert!(human("a:", "p.yaml", &[d], &ASCII).contains("1 | a:\n  |   ^ no action has this name\n"));
}

#[test]
fn tabs_take_one_cell() {
    let source = "\ta:\tbad\n";
    let d = fault("P002", Severity::Error, "m", Some(span(source, "bad", 0)));
    assert!(human(source, "p", &[d], &ASCII).contains("1 |  a: bad\n  |     ^^^ no"));
}

#[test]
fn long_lines_are_cut_around_the_range() {
    let source = format!("run: {} needle {}", "x".repeat(4000), "y".repeat(4000));
    let d = fault("P310", Severity::Warning, "m", Some(span(&source, "needle", 0)));
    for width in [0, 80, 10_000] {
        let text = human(&source, "p", std::slice::from_ref(&d), &HumanOptions { width, ..ASCII });
        let rows: Vec<&str> = text.lines().collect();
        assert!(rows[2].len() <= 204, "{text}");
        let column = rows[2].find("needle").unwrap();
        assert_eq!(rows[3].find("^^^^^^"), Some(column), "{text}");
        assert!(rows[2].starts_with("1 | ...x") && rows[2].ends_with("y..."), "{text}");
    }
}

#[test]
fn repeats_beyond_five_fold_into_positions() {
    let source = "x\n".repeat(9);
    let many = |n: usize| -> Vec<Diagnostic> {
        (0..n).map(|i| fault("P512", Severity::Warning, "m", Some(span(&source, "x", i)))).collect()
    };
    let text = human(&source, "p", &many(9), &ASCII);
    assert_eq!(text.matches("warning[P512]: m\n").count(), 5);
    assert!(text.contains("warning[P512]: the same at 4 more places\n"), "{text}");
    assert!(text.ends_with("  = line:column 6:1, 7:1, 8:1, 9:1\n"), "{text}");
    assert_eq!(human(&source, "p", &many(6), &ASCII).matches("warning[P512]: m\n").count(), 6);
}

#[test]
fn at_most_two_hundred_are_shown() {
    let source = "x\n".repeat(300);
    let names: Vec<&'static str> = (0..300).map(|i| &*Box::leak(format!("Q{i:03}").into_boxed_str())).collect();
    let many: Vec<Diagnostic> =
        (0..300).map(|i| fault(names[i], Severity::Note, "m", Some(span(&source, "x", i)))).collect();
    let text = human(&source, "p", &many, &ASCII);
    assert_eq!(text.matches("note[Q").count(), 200);
    assert!(text.contains("\n100 more are not shown"), "{text}");
}

#[test]
fn overlaps_are_one_message() {
    let source = "aa bb cc\n";
    let mut found: Vec<Diagnostic> = ["aa", "bb", "cc"]
        .iter()
        .map(|t| fault("P521", Severity::Note, &format!("`{t}` overlaps"), Some(span(source, t, 0))))
        .collect();
    found[1].severity = Severity::Warning;
    found[1].help = Some("narrow one of them".to_owned());
    let expected = "\
warning[P521]: 3 pairs of output patterns in different actions overlap
  --> p:1:4
  = 1:1: `aa` overlaps
  = 1:4: `bb` overlaps
  = 1:7: `cc` overlaps
  = help: narrow one of them
";
    assert_eq!(human(source, "p", &found, &ASCII), expected);
    assert!(human(source, "p", &found[..1], &ASCII).contains("1 | aa bb cc\n"));
}

#[test]
fn short_is_one_line_each_in_order() {
    let source = "aa\nbb\n";
    let later = fault("P404", Severity::Error, "m\n::error::x", Some(span(source, "bb", 0)));
    let earlier = fault("P111", Severity::Warning, "w", Some(span(source, "aa", 0)));
    let whole = fault("P004", Severity::Error, "empty", None);
    assert_eq!(
        short("p.yaml", &[later, earlier, whole]),
        "p.yaml:1:1: error[P004] empty\np.yaml:1:1: warning[P111] w\np.yaml:2:1: error[P404] m\\n::error::x\n"
    );
}

#[test]
fn github_cannot_be_given_commands() {
    let source = "aa\nbb\n";
    let mut d = fault("P404", Severity::Error, "100%: a,b\r\n::warning::x", Some(span(source, "bb", 0)));
    d.help = Some("first\n::stop-commands::y".to_owned());
    assert_eq!(
        github("a:b,c%\n.yaml", &[d]),
        "::error file=a%3Ab%2Cc%25%0A.yaml,line=2,endLine=2,col=1,endColumn=3,title=P404::\
         100%25: a,b\\r\\n::warning::x%0Afirst%0A::stop-commands::y\n"
    );
    let note = fault("P900", Severity::Note, "n", None);
    assert_eq!(github("p", &[note]), "::notice file=p,title=P900::n\n");
}

#[test]
fn json_is_the_documented_document() {
    let (source, mut d) = example();
    d.action = Some(pipeline::ActionName::new("describe"));
    d.at = vec![
        PathStep::Key("actions".into()),
        PathStep::Key("describe".into()),
        PathStep::Key("needs".into()),
        PathStep::Index(0),
    ];
    let at = span(&source, "make_tabel", 0);
    d.labels = vec![Label { span: at, message: "l".into() }];
    d.fixes = vec![Fix {
        title: "t".into(),
        applicability: Applicability::Maybe,
        edits: vec![Edit { span: at, text: "make_table".into() }],
    }];
    let warning = fault("P111", Severity::Warning, "w", None);
    let project = ProjectInfo {
        path: "project.yaml".into(),
        sha256: "00".into(),
        version: Some("3.0".into()),
        version_number: Some(3.0),
        actions: 12,
        edges: 17,
        depth: 4,
        images: vec!["cohortextractor:v1".into(), "r:v1".into()],
    };
    let diagnostics = [d, warning];
    let text = json(&CheckDocument {
        program: "0.4.0",
        ok: false,
        path: "project.yaml",
        project: Some(&project),
        diagnostics: &diagnostics,
        others: &[],
    });
    let start = source.len() - "make_tabel, clean]\n".len();
    let range = format!(
        r#"{{"start":{{"line":31,"column":13,"offset":{start}}},"end":{{"line":31,"column":23,"offset":{}}}}}"#,
        start + 10
    );
    let expected = [
        r#"{"schema":"cloister.check/1","program":"0.4.0","ok":false,"#.to_owned(),
        r#""project":{"path":"project.yaml","sha256":"00","version":"3.0","version_number":3.0,"actions":12,"#.into(),
        r#""edges":17,"depth":4,"images":["cohortextractor:v1","r:v1"]},"#.into(),
        r#""summary":{"errors":1,"warnings":1,"notes":0},"diagnostics":["#.into(),
        r#"{"code":"P111","severity":"warning","message":"w","help":null,"path":"project.yaml","action":null,"at":[],"#
            .into(),
        r#""range":null,"labels":[],"fixes":[]},"#.into(),
        r#"{"code":"P404","severity":"error","message":"action `describe` needs `make_tabel`, which does not exist","#
            .into(),
        r#""help":"did you mean `make_table` (line 18)?","path":"project.yaml","action":"describe","#.into(),
        r#""at":["actions","describe","needs",0],"#.into(),
        format!(r#""range":{range},"labels":[{{"path":"project.yaml","range":{range},"message":"l"}}],"#),
        format!(
            r#""fixes":[{{"title":"t","applicability":"maybe","edits":[{{"path":"project.yaml","range":{range},"text":"make_table"}}]}}]}}]}}"#
        ),
    ]
    .concat()
        + "\n";
    assert_eq!(text, expected);
}

#[test]
fn sarif_names_rule_level_and_region() {
    let (source, d) = example();
    let start = source.len() - "make_tabel, clean]\n".len();
    let log: serde_json::Value = serde_json::from_str(&sarif("0.1.0", &[("sub dir/project.yaml", &[d])])).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    assert_eq!(run["tool"]["driver"]["rules"][0]["id"], "P404");
    let result = &run["results"][0];
    assert_eq!((result["ruleId"].as_str(), result["ruleIndex"].as_u64()), (Some("P404"), Some(0)));
    assert_eq!(result["level"], "error");
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "sub%20dir/project.yaml");
    assert_eq!(
        place["region"],
        serde_json::json!({"startLine": 31, "startColumn": 13, "endLine": 31, "endColumn": 23,
            "byteOffset": start, "byteLength": 10})
    );
}

fn with_fix(source: &str, what: &str, by: &str, applicability: Applicability) -> Diagnostic {
    let at = span(source, what, 0);
    let mut d = fault("P404", Severity::Error, "m", Some(at));
    let title = format!("replace `{what}` by `{by}`");
    d.fixes = vec![Fix { title, applicability, edits: vec![Edit { span: at, text: by.to_owned() }] }];
    d
}

#[test]
fn only_sure_fixes_that_do_not_touch_are_applied() {
    let source = "one two three";
    let found = [
        with_fix(source, "two", "2", Applicability::Sure),
        with_fix(source, "o th", "!", Applicability::Sure),
        with_fix(source, "three", "3", Applicability::Maybe),
        with_fix(source, "one", "1", Applicability::Sure),
    ];
    let fixed = apply_fixes(source, &found).unwrap();
    assert_eq!(fixed.text, "1 2 three");
    assert_eq!(fixed.applied, ["replace `one` by `1`", "replace `two` by `2`"]);
    assert_eq!(apply_fixes(source, &found[2..3]), None);
}

#[test]
fn a_fix_is_whole_or_not_at_all() {
    let source = "one two";
    let mut d = with_fix(source, "one", "1", Applicability::Sure);
    let beyond = Position { line: 1, column: 99, offset: 99 };
    d.fixes[0].edits.push(Edit { span: Span { start: beyond, end: beyond }, text: "x".into() });
    assert_eq!(apply_fixes(source, &[d]), None);
}

#[test]
fn diff_is_unified_and_harmless() {
    let old = "a\nb\nc\nd\ne\nf\n";
    let new = "a\nb\nc\nd\n\u{1b}[2J\u{202e}\nf\n";
    assert_eq!(
        diff(old, new, "project.yaml"),
        "--- a/project.yaml\n+++ b/project.yaml\n@@ -2,5 +2,5 @@\n b\n c\n d\n-e\n+\\u{1b}[2J\\u{202e}\n f\n"
    );
    assert_eq!(diff(old, old, "p"), "");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever a file holds and wherever a range points, also outside the file or inside a character.
    #[test]
    fn no_form_panics_or_emits_controls(
        source in "(\\PC|[\u{0}-\u{20}\u{7f}-\u{9f}\u{2028}\u{202e}\n\r\t]){0,120}",
        message in any::<String>(), path in any::<String>(),
        start in 0_usize..400, length in 0_usize..400, other in 0_usize..400,
        width in 0_usize..300, ascii: bool, copies in 1_usize..9,
    ) {
        let at = |offset: usize| Position { line: offset as u32 % 7, column: 1, offset };
        let mut d = fault("P521", Severity::Warning, &message, Some(Span { start: at(start), end: at(start + length) }));
        d.label = message.clone();
        d.help = Some(message.clone());
        d.labels = vec![Label { span: Span { start: at(other), end: at(other / 2) }, message: message.clone() }];
        d.fixes = vec![Fix { title: message, applicability: Applicability::Sure,
            edits: vec![Edit { span: Span { start: at(start), end: at(start + length) }, text: "x".into() }] }];
        let single = [d.clone()];
        let many = vec![d; copies];
        let options = HumanOptions { color: false, ascii, width };
        for text in [human(&source, &path, &single, &options), human(&source, &path, &many, &options),
                     short(&path, &many), github(&path, &many)] {
            prop_assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
        }
        prop_assert!(github(&path, &many).lines().all(|l| l.starts_with("::warning file=")));
        let document = CheckDocument { program: "0", ok: true, path: &path, project: None, diagnostics: &many, others: &[] };
        prop_assert!(serde_json::from_str::<serde_json::Value>(&json(&document)).is_ok());
        prop_assert!(serde_json::from_str::<serde_json::Value>(&sarif("0", &[(&path, &many)])).is_ok());
        let _ = apply_fixes(&source, &many);
    }

    /// Edits applied together equal edits applied one by one from the end (the naive model).
    #[test]
    fn fixes_agree_with_a_naive_model(cuts in proptest::collection::vec((0_usize..30, 0_usize..5, "[xy]{0,3}"), 1..8)) {
        let source = "abcdefghijklmnopqrstuvwxyzabcdefghij";
        let found: Vec<Diagnostic> = cuts.iter().map(|(start, length, text)| {
            let at = Span { start: position(source, *start), end: position(source, start + length) };
            let mut d = fault("P404", Severity::Error, "m", Some(at));
            d.fixes = vec![Fix { title: "t".into(), applicability: Applicability::Sure,
                edits: vec![Edit { span: at, text: text.clone() }] }];
            d
        }).collect();
        let mut order: Vec<&(usize, usize, String)> = cuts.iter().collect();
        order.sort_by_key(|c| c.0);
        let mut taken: Vec<&(usize, usize, String)> = Vec::new();
        for cut in order {
            let apart = |t: &&(usize, usize, String)| {
                let (end, other) = (cut.0 + cut.1, t.0 + t.1);
                if cut.1 == 0 || t.1 == 0 { end < t.0 || other < cut.0 } else { end <= t.0 || other <= cut.0 }
            };
            if taken.iter().all(apart) { taken.push(cut); }
        }
        let mut naive = source.to_owned();
        for (start, length, text) in taken.into_iter().rev() {
            naive.replace_range(*start..start + length, text);
        }
        let ours = apply_fixes(source, &found).map_or_else(|| source.to_owned(), |f| f.text);
        prop_assert_eq!(ours, naive);
    }
}
