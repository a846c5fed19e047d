//! The small form of graphs in case files: one `name = expression` per line. The lines become variables in their order,
//! except `population` (all patients if it is not there), frames and sets, names with `_` in front (intermediate) and
//! those with `hidden:` in front.
//!
//! An expression is a name, a constant (`5`, `5.0`, `"text"`, `true`, `2024-02-29`, `null:int`) or
//! `(operation argument …)`. Tables, columns and other words stand as they are. `eq:ci` and the like compare without
//! case. `(grouped_sum (by a b) (of c d) denominator)` and `(event_counts frame (distinct a b) (by c) condition)` ask for
//! totals with the line's name. Keys of a pick: `(by series asc)`. Branches of a union: `(from frame series …)`. Cases: `(when c v) … (else v)`.

use std::collections::HashMap;

use jiff::civil::Date;
use query::*;

#[derive(Debug, Clone)]
enum Expr {
    Atom(String),
    List(Vec<Expr>),
}

#[derive(Clone, Copy)]
enum Made {
    Frame(Frame),
    Series(Series),
    Set(Series),
    /// Sums or counts, which nothing reads.
    Total,
}

pub(crate) fn kind(word: &str) -> Option<Type> {
    Some(match word {
        "bool" => Type::Bool,
        "int" => Type::Int,
        "float" => Type::Float,
        "str" => Type::Str,
        "date" => Type::Date,
        "datetime" => Type::DateTime,
        _ => return None,
    })
}

pub(crate) fn constant(word: &str) -> Option<Value> {
    if let Some(text) = word.strip_prefix('"') {
        return Some(Value::text(text.strip_suffix('"')?));
    }
    match word {
        "true" => return Some(Value::Bool(true)),
        "false" => return Some(Value::Bool(false)),
        "NULL" => return Some(Value::Null),
        _ => {}
    }
    let int = || word.parse().ok().map(Value::Int);
    let date = || word.parse::<Date>().ok().filter(|_| word.len() == 10).map(Value::Date);
    let float = || word.parse().ok().filter(|f: &f64| f.is_finite()).map(Value::Float);
    int().or_else(date).or_else(float)
}

pub(crate) fn read(lines: &[&str], flags: &[&str]) -> Graph {
    let ties = if flags.contains(&"ties=table") {
        Ties::Table
    } else if flags.contains(&"ties=ehrql") {
        Ties::Ehrql
    } else {
        Ties::V1
    };
    let universe = if flags.contains(&"universe=population") { Universe::Population } else { Universe::Patients };
    let mut reader =
        Reader { b: Builder::new(Catalogue::tpp(), ties, universe), names: HashMap::new(), line: String::new() };
    let mut population = None;
    for (at, line) in lines.iter().enumerate() {
        let (name, expression) = line.split_once(" = ").unwrap_or_else(|| panic!("name = expression: {line}"));
        let mut tokens = tokens(expression).into_iter().peekable();
        let expression = parse(&mut tokens);
        reader.line = name.to_owned();
        assert!(tokens.peek().is_none(), "too much in {line}");
        reader.b.at(Some(format!("case:{}", at + 1)));
        let made = reader.make(&expression);
        let (name, hidden) = name.strip_prefix("hidden:").map_or((name, false), |name| (name, true));
        reader.names.insert(name.to_owned(), made);
        match made {
            Made::Series(series) if name == "population" => population = Some(series),
            Made::Series(series) if !name.starts_with('_') => reader.b.variable(name, series, hidden),
            _ => {}
        }
    }
    let population = population.unwrap_or_else(|| reader.b.value(true));
    reader.b.finish(population)
}

fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim();
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '(' | ')' => 1,
            '"' => rest[1..].find('"').expect("a closing quote") + 2,
            _ => rest.find([' ', '(', ')']).unwrap_or(rest.len()),
        };
        tokens.push(rest[..end].to_owned());
        rest = rest[end..].trim_start();
    }
    tokens
}

fn parse(tokens: &mut std::iter::Peekable<std::vec::IntoIter<String>>) -> Expr {
    let token = tokens.next().expect("an expression");
    if token != "(" {
        return Expr::Atom(token);
    }
    let mut list = Vec::new();
    while tokens.peek().expect("a closing bracket") != ")" {
        list.push(parse(tokens));
    }
    tokens.next();
    Expr::List(list)
}

impl Expr {
    fn word(&self) -> &str {
        match self {
            Expr::Atom(word) => word,
            Expr::List(_) => panic!("a word is wanted: {self:?}"),
        }
    }

    fn list(&self) -> (&str, &[Expr]) {
        match self {
            Expr::List(list) => (list[0].word(), &list[1..]),
            Expr::Atom(_) => panic!("a list is wanted: {self:?}"),
        }
    }
}

struct Reader {
    b: Builder<'static>,
    names: HashMap<String, Made>,
    /// The name of the line that is read.
    line: String,
}

impl Reader {
    fn make(&mut self, expression: &Expr) -> Made {
        match expression {
            Expr::Atom(word) => {
                if let Some(made) = self.names.get(word) {
                    return *made;
                }
                if let Some(kind) = word.strip_prefix("null:").and_then(kind) {
                    return Made::Series(self.b.null(kind));
                }
                let value = constant(word).unwrap_or_else(|| panic!("{word} is neither name nor constant"));
                Made::Series(self.b.value(value))
            }
            Expr::List(_) => {
                let (op, args) = expression.list();
                let (op, collation) = match op.strip_suffix(":ci") {
                    Some(op) => (op, Collation::Ci),
                    None => (op, Collation::Exact),
                };
                self.total(op, args)
                    .or_else(|| self.frame_op(op, args))
                    .or_else(|| self.series_op(op, args, collation))
                    .unwrap_or_else(|| panic!("no {op}"))
            }
        }
    }

    fn f(&mut self, expression: &Expr) -> Frame {
        match self.make(expression) {
            Made::Frame(frame) => frame,
            // a case of faults may put a series where a frame belongs
            Made::Series(series) | Made::Set(series) => Frame(series.0),
            Made::Total => panic!("a total is no frame"),
        }
    }

    fn s(&mut self, expression: &Expr) -> Series {
        match self.make(expression) {
            Made::Series(series) | Made::Set(series) => series,
            Made::Frame(frame) => Series(frame.0),
            Made::Total => panic!("a total is no series"),
        }
    }

    fn all(&mut self, args: &[Expr]) -> Vec<Series> {
        args.iter().map(|a| self.s(a)).collect()
    }

    /// Series of `(word a b …)`, with their names.
    fn named(&mut self, expression: &Expr) -> Vec<Named> {
        let (_, names) = expression.list();
        names.iter().map(|name| Named { name: name.word().to_owned(), series: self.s(name) }).collect()
    }

    fn total(&mut self, op: &str, args: &[Expr]) -> Option<Made> {
        let name = self.line.clone();
        match op {
            "grouped_sum" => {
                let (group_by, numerators) = (self.named(&args[0]), self.named(&args[1]));
                let denominator = self.s(&args[2]);
                self.b.grouped_sum(GroupedSum { name, group_by, numerators, denominator });
            }
            "event_counts" => {
                let frame = self.f(&args[0]);
                let distinct = self.named(&args[1]).into_iter().map(|named| named.series).collect();
                let group_by = self.named(&args[2]);
                let patients = self.s(&args[3]);
                self.b.event_counts(EventCounts { name, frame, distinct, group_by, patients });
            }
            _ => return None,
        }
        Some(Made::Total)
    }

    fn frame_op(&mut self, op: &str, args: &[Expr]) -> Option<Made> {
        Some(Made::Frame(match op {
            "table" => self.b.table(args[0].word()),
            "inline" => {
                let columns = args[1..].iter().map(|c| c.word().split_once(':').expect("name:type"));
                let columns = columns.map(|(name, k)| (name.to_owned(), kind(k).expect("a type"))).collect();
                self.b.inline(args[0].word(), columns)
            }
            "filter" => {
                let (frame, condition) = (self.f(&args[0]), self.s(&args[1]));
                self.b.filter(frame, condition)
            }
            "sort" => {
                let (frame, by) = (self.f(&args[0]), self.s(&args[1]));
                self.b.sort(frame, by, direction(&args[2]))
            }
            "pick_first" => {
                let frame = self.f(&args[0]);
                self.b.pick_first(frame)
            }
            "pick_last" => {
                let frame = self.f(&args[0]);
                self.b.pick_last(frame)
            }
            "pick_by" | "pick_by_all" => {
                let frame = self.f(&args[0]);
                let mut keys = Vec::new();
                for key in &args[1..] {
                    let (_, key) = key.list();
                    keys.push(SortKey { by: self.s(&key[0]), direction: direction(&key[1]) });
                }
                let then = if op == "pick_by" { Then::RowOrder } else { Then::EveryColumn };
                self.b.pick_by(frame, &keys, then)
            }
            "one_row" => {
                let frame = self.f(&args[0]);
                self.b.one_row(frame)
            }
            // (join inner left right name a=b …)
            "join" => {
                let kind = if args[0].word() == "left" { JoinKind::Left } else { JoinKind::Inner };
                let (left, right) = (self.f(&args[1]), self.f(&args[2]));
                let on: Vec<(&str, &str)> = args[4..].iter().map(|p| p.word().split_once('=').expect("a=b")).collect();
                self.b.join(left, right, &Joined { on: &on, kind, name: args[3].word() })
            }
            // (union (a b) (from frame x y) …)
            "union" => {
                let Expr::List(columns) = &args[0] else { panic!("columns of a union") };
                let columns: Vec<&str> = columns.iter().map(Expr::word).collect();
                let mut branches = Vec::new();
                for branch in &args[1..] {
                    let (_, branch) = branch.list();
                    branches.push((self.f(&branch[0]), self.all(&branch[1..])));
                }
                self.b.union(&columns, branches)
            }
            "distinct" => {
                let frame = self.f(&args[0]);
                self.b.distinct(frame)
            }
            _ => return None,
        }))
    }

    #[allow(clippy::too_many_lines, reason = "one line for each operation")]
    fn series_op(&mut self, op: &str, args: &[Expr], ci: Collation) -> Option<Made> {
        let made = match op {
            "set_of" => {
                let values: Vec<Value> = args[1..].iter().map(|a| constant(a.word()).expect("a constant")).collect();
                return Some(Made::Set(self.b.values(kind(args[0].word()).expect("a type"), values)));
            }
            "codes" => {
                let codes: Vec<String> = args[1..].iter().map(|a| a.word().trim_matches('"').to_owned()).collect();
                return Some(Made::Set(self.b.codelist(args[0].word(), codes)));
            }
            "set" => {
                let of = self.s(&args[0]);
                return Some(Made::Set(self.b.set(of)));
            }
            "parameter" => self.b.parameter(args[0].word(), kind(args[1].word()).expect("a type")),
            "column" => {
                let frame = self.f(&args[0]);
                self.b.column(frame, args[1].word())
            }
            "exists" | "count" => {
                let frame = self.f(&args[0]);
                if op == "exists" { self.b.exists(frame) } else { self.b.count(frame) }
            }
            "case" => {
                let (mut cases, mut default) = (Vec::new(), None);
                for case in args {
                    match case.list() {
                        ("when", [when, then]) => cases.push((self.s(when), self.s(then))),
                        ("else", [value]) => default = Some(self.s(value)),
                        other => panic!("{other:?} in a case"),
                    }
                }
                self.b.case(cases, default)
            }
            "count_episodes" => {
                let of = self.s(&args[0]);
                self.b.count_episodes(of, args[1].word().parse().expect("days"))
            }
            "most_frequent" => {
                let of = self.s(&args[0]);
                self.b.most_frequent(of, if args[1].word() == "least" { Tie::Least } else { Tie::Greatest })
            }
            "cast" => {
                let of = self.s(&args[0]);
                let format = match args.get(2).map(Expr::word) {
                    Some("month") => DateFormat::Month,
                    Some("year") => DateFormat::Year,
                    Some("british") => DateFormat::British,
                    _ => DateFormat::Day,
                };
                self.b.cast_date(of, kind(args[1].word()).expect("a type"), format)
            }
            "round" => {
                let of = self.s(&args[0]);
                self.b.round_half_away(of, args[1].word().parse().expect("digits"))
            }
            "known_parts" => {
                let (of, known) = (self.s(&args[0]), self.s(&args[1]));
                self.b.known_parts(of, args[2].word().trim_matches('"'), known, args[3].word().trim_matches('"'))
            }
            // (linked code set frame id previous)
            "linked" => {
                let (of, set, frame) = (self.s(&args[0]), self.s(&args[1]), self.f(&args[2]));
                self.b.linked(of, set, frame, args[3].word(), args[4].word())
            }
            // (date_add months clamp day n)
            "date_add" => {
                let overflow = match args[1].word() {
                    "error" => Overflow::Error,
                    "clamp" => Overflow::Clamp,
                    _ => Overflow::Roll,
                };
                let (of, n) = (self.s(&args[2]), self.s(&args[3]));
                self.b.date_add(unit(&args[0]), of, n, overflow)
            }
            "difference" => {
                let (left, right) = (self.s(&args[1]), self.s(&args[2]));
                self.b.difference(unit(&args[0]), left, right)
            }
            "first_day_of" | "last_day_of" => {
                let period = match args[0].word() {
                    "month" => Period::Month,
                    "year" => Period::Year,
                    "nhs" => Period::NhsFinancialYear,
                    _ => Period::SchoolYear,
                };
                let of = self.s(&args[1]);
                if op == "first_day_of" { self.b.first_day_of(period, of) } else { self.b.last_day_of(period, of) }
            }
            "sample" => self.b.sample(args[0].word().parse().expect("per cent")),
            _ => return self.plain(op, args, ci).map(Made::Series),
        };
        Some(Made::Series(made))
    }

    fn plain(&mut self, op: &str, args: &[Expr], ci: Collation) -> Option<Series> {
        let a = self.all(args);
        let b = &mut self.b;
        Some(match (op, a.as_slice()) {
            ("count_distinct", [x]) => b.count_distinct(*x),
            ("min", [x]) => b.min(*x),
            ("max", [x]) => b.max(*x),
            ("sum", [x]) => b.sum(*x),
            ("mean", [x]) => b.mean(*x),
            ("one_value", [x]) => b.one_value(*x),
            ("sum_of_group_max", [group, x]) => b.sum_of_group_max(*group, *x),
            ("eq", [x, y]) => b.compare(Comparison::Eq, *x, *y, ci),
            ("ne", [x, y]) => b.compare(Comparison::Ne, *x, *y, ci),
            ("lt", [x, y]) => b.compare(Comparison::Lt, *x, *y, ci),
            ("le", [x, y]) => b.compare(Comparison::Le, *x, *y, ci),
            ("gt", [x, y]) => b.compare(Comparison::Gt, *x, *y, ci),
            ("ge", [x, y]) => b.compare(Comparison::Ge, *x, *y, ci),
            ("and", of) => b.and(of.iter().copied()),
            ("or", of) => b.or(of.iter().copied()),
            ("not", [x]) => b.not(*x),
            ("is_null", [x]) => b.is_null(*x),
            ("in", [x, set]) => b.is_in(*x, *set, ci),
            ("coalesce", of) => b.coalesce(of.iter().copied()),
            ("min_of", of) => b.min_of(of.iter().copied(), ci),
            ("max_of", of) => b.max_of(of.iter().copied(), ci),
            ("add", [x, y]) => b.add(*x, *y),
            ("sub", [x, y]) => b.sub(*x, *y),
            ("mul", [x, y]) => b.mul(*x, *y),
            ("div", [x, y]) => b.div(*x, *y),
            ("floor_div", [x, y]) => b.floor_div(*x, *y),
            ("div_int", [x, y]) => b.div_int(*x, *y),
            ("div_or_stop", [x, y]) => b.div_or_stop(*x, *y),
            ("power", [x, y]) => b.power(*x, *y),
            ("neg", [x]) => b.neg(*x),
            ("abs", [x]) => b.abs(*x),
            ("starts_with", [x, y]) => b.starts_with(*x, *y, ci),
            ("contains", [x, y]) => b.contains(*x, *y, ci),
            ("contains_after_boundary", [x, y]) => b.contains_after_boundary(*x, *y, ci),
            ("concat", of) => b.concat(of.iter().copied()),
            ("replace", [x, y, z]) => b.replace(*x, *y, *z, ci),
            ("trim", [x]) => b.trim(*x),
            ("year_boundaries_between", [x, y]) => b.year_boundaries_between(*x, *y),
            ("year", [x]) => b.year(*x),
            ("month", [x]) => b.month(*x),
            ("day_of_month", [x]) => b.day_of_month(*x),
            ("day", [x]) => b.day(*x),
            _ => return None,
        })
    }
}

fn direction(word: &Expr) -> Direction {
    if word.word() == "desc" { Direction::Desc } else { Direction::Asc }
}

fn unit(word: &Expr) -> Unit {
    match word.word() {
        "days" => Unit::Days,
        "weeks" => Unit::Weeks,
        "months" => Unit::Months,
        _ => Unit::Years,
    }
}
