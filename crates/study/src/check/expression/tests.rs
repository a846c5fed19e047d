//! What is printed is read again, any text ends well, and the rules of binding, typing and texts (section 8).
//! Refusals with their fixes are case files (`cases/faults/`).

use proptest::prelude::*;

use super::ast::{Node, NodeKind};
use super::{Lookup, Problem, parse, truth};
use crate::model::{Arithmetic, Comparison, Expr, ExprType, VariableId};

fn leaf() -> impl Strategy<Value = NodeKind> {
    prop_oneof![
        "[a-z_][a-z0-9_]{0,6}"
            .prop_filter("a word of SQL", |name| {
                !["and", "or", "not", "in", "is", "like", "between", "glob", "regexp"].contains(&name.as_str())
            })
            .prop_map(NodeKind::Name),
        (0..i64::MAX).prop_map(NodeKind::Int),
        (0.0..1e18_f64).prop_map(NodeKind::Float),
        "[A-Za-z0-9_ <>=~]{0,8}".prop_map(NodeKind::Text),
    ]
}

fn node(kind: NodeKind) -> Node {
    Node::new(kind, 0..0)
}

fn tree() -> impl Strategy<Value = Node> {
    let arithmetic = prop_oneof![
        Just(Arithmetic::Add),
        Just(Arithmetic::Subtract),
        Just(Arithmetic::Multiply),
        Just(Arithmetic::Divide)
    ];
    let comparison = prop_oneof![
        Just(Comparison::Eq),
        Just(Comparison::Ne),
        Just(Comparison::Lt),
        Just(Comparison::Le),
        Just(Comparison::Gt),
        Just(Comparison::Ge)
    ];
    leaf().prop_map(node).prop_recursive(5, 40, 4, move |inner| {
        let one = || inner.clone().prop_map(Box::new);
        let many = || prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            one().prop_map(|a| node(NodeKind::Negate(a))),
            one().prop_map(|a| node(NodeKind::Not(a))),
            (arithmetic.clone(), one(), one()).prop_map(|(op, a, b)| node(NodeKind::Arithmetic(op, a, b))),
            (comparison.clone(), one(), one()).prop_map(|(op, a, b)| node(NodeKind::Compare(op, a, b))),
            many().prop_map(|parts| node(NodeKind::And(parts))),
            many().prop_map(|parts| node(NodeKind::Or(parts))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_printed_is_read_again(tree in tree()) {
        let text = tree.to_string();
        prop_assert_eq!(parse(&text).map_err(|p| TestCaseError::fail(format!("{p:?} in {text}")))?, tree);
    }

    #[test]
    fn places_lie_within_any_text(text in "[a-z'\"()<>=!+*/. 0-9ANDORT%;éİ-]{0,40}") {
        match parse(&text) {
            Ok(node) => prop_assert!(text.get(node.range).is_some()),
            Err(problem) => prop_assert!(text.get(problem.range).is_some()),
        }
    }

    #[test]
    fn typing_never_panics(tree in tree()) {
        let look = |name: &str| match name.len() % 5 {
            0 => Lookup::Unknown(Vec::new()),
            1 => Lookup::Column(VariableId(1), Some(ExprType::Int)),
            2 => Lookup::Column(VariableId(2), Some(ExprType::Float)),
            3 => Lookup::Column(VariableId(3), Some(ExprType::Text { exact: false })),
            _ => Lookup::Column(VariableId(4), None),
        };
        let mut problems = Vec::new();
        let typed = truth(&tree, &look, &mut problems);
        // Without a column that is faulty itself, either there is a tree or a reason.
        prop_assert!(typed.is_none() || problems.is_empty());
    }
}

fn columns(name: &str) -> Lookup {
    match name {
        "i" => Lookup::Column(VariableId(0), Some(ExprType::Int)),
        "f" => Lookup::Column(VariableId(1), Some(ExprType::Float)),
        "t" => Lookup::Column(VariableId(2), Some(ExprType::Text { exact: false })),
        "date" => Lookup::Column(VariableId(3), Some(ExprType::Date(cohorts::DatePrecision::Day))),
        _ => Lookup::Unknown(Vec::new()),
    }
}

fn typed(text: &str) -> Result<Expr, Vec<Problem>> {
    let node = parse(text).map_err(|problem| vec![problem])?;
    let mut problems = Vec::new();
    truth(&node, &columns, &mut problems).ok_or(problems)
}

fn column(id: usize) -> Box<Expr> {
    Box::new(Expr::Column(VariableId(id)))
}

#[test]
fn names_mean_truth_or_value_by_their_place() {
    let truth = |id| Box::new(Expr::Truth(column(id)));
    // NOT binds tighter than AND, AND tighter than OR.
    let expected = Expr::Or(
        Box::new(Expr::And(Box::new(Expr::Not(truth(0))), truth(2))),
        Box::new(Expr::Compare(Comparison::Gt, column(1), Box::new(Expr::Int(3)))),
    );
    assert_eq!(typed("NOT i AND t OR f > 3"), Ok(expected));
    assert_eq!(typed("NOT(i)"), Ok(Expr::Not(truth(0))));
    assert_eq!(typed("(i)"), Ok(*truth(0)));
    // A word of SQL is a name like any other.
    assert_eq!(typed("date"), Ok(*truth(3)));
    assert_eq!(typed("i -- the rest is a comment\n /* and this */"), Ok(*truth(0)));
    assert_eq!(typed("# before\ni # AND b"), Ok(*truth(0)));
    let minus = Expr::Arithmetic(Arithmetic::Subtract, column(0), Box::new(Expr::Negate(column(0))));
    assert_eq!(typed("i - -+i = 0"), Ok(Expr::Compare(Comparison::Eq, Box::new(minus), Box::new(Expr::Int(0)))));
}

#[test]
fn comparisons_do_not_chain_and_bind_less_than_sums() {
    let sum = Expr::Arithmetic(
        Arithmetic::Add,
        column(0),
        Box::new(Expr::Arithmetic(Arithmetic::Multiply, Box::new(Expr::Int(2)), column(0))),
    );
    assert_eq!(typed("i + 2 * i >= 2.5"), Ok(Expr::Compare(Comparison::Ge, Box::new(sum), Box::new(Expr::Float(2.5)))));
    let problem = parse("1 < i < 3").unwrap_err();
    assert_eq!((problem.code, problem.range), ("SD502", 6..7));
}

#[test]
fn all_problems_of_types_are_told_at_once() {
    let problems = typed("(i > 1) + 1 > 2 AND 'x' AND nothing").unwrap_err();
    let found: Vec<_> = problems.iter().map(|p| (p.code, p.range.clone())).collect();
    assert_eq!(found, [("SD505", 0..7), ("SD505", 20..23), ("SD501", 28..35)]);
}

#[test]
fn long_and_deep_expressions_end_well() {
    // 64 KiB of conditions in one chain.
    let chain = vec!["i"; 10_000].join(" OR ");
    assert!(typed(&chain).is_ok());
    let deep = format!("{}i{}", "(".repeat(5_000), ")".repeat(5_000));
    assert_eq!(parse(&deep).unwrap_err().code, "SD503");
    assert_eq!(parse(&"-".repeat(3).repeat(5_000).replace("---", "- ")).unwrap_err().code, "SD503");
    assert_eq!(parse(&format!("{} i", "NOT ".repeat(5_000))).unwrap_err().code, "SD503");
    assert_eq!(parse(&vec!["i"; 5_000].join("+")).unwrap_err().code, "SD503");
    assert_eq!(parse(&"i OR ".repeat(20_000)).unwrap_err().code, "SD502");
    let sum = vec!["i"; 1_000].join(" + ");
    assert!(typed(&format!("{sum} > 3")).is_ok());
}

#[test]
fn texts_in_quotes() {
    let text = |t: &str| Ok(Expr::Compare(Comparison::Eq, column(2), Box::new(Expr::Text(t.to_owned()))));
    assert_eq!(typed("t = ''"), text(""));
    assert_eq!(typed("t = \"a B_1 <=>~\""), text("a B_1 <=>~"));
    assert_eq!(typed(&format!("t = '{}'", "x".repeat(64))), text(&"x".repeat(64)));
    assert_eq!(typed(&format!("t = '{}'", "x".repeat(65))).unwrap_err()[0].code, "SD502");
    assert_eq!(typed("t = 'a-b'").unwrap_err()[0].range, 6..7);
    assert_eq!(typed("date > '2020-01-01'").unwrap_err()[0].message, "a date cannot be written in an expression");
}
