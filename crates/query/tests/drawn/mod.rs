//! Sound graphs and small colliding tables, made from a script of numbers, so that proptest shrinks them.
//! Each number chooses the next step; operands come from what is there already, so chains get deep.

use query::reference::{Bindings, Rows, Tables};
use query::*;

pub(crate) const OPERATIONS: &str = "table filter sort pick_first pick_last join union distinct value null values codelist \
    parameter column exists count count_distinct min max sum mean set count_episodes most_frequent sum_of_group_max eq ne \
    lt le gt ge and or not is_null in case coalesce min_of max_of add sub mul div floor_div div_int power neg abs cast \
    round_half_away starts_with contains contains_after_boundary concat replace trim known_parts linked date_add difference \
    year_boundaries_between year month day_of_month first_day_of last_day_of day sample";

/// Numbers to choose by; 0 when they are used up.
#[derive(Debug, Clone)]
pub(crate) struct Script(Vec<u32>, usize);

impl Script {
    pub(crate) fn new(numbers: Vec<u32>) -> Self {
        Script(numbers, 0)
    }

    fn pick(&mut self, choices: usize) -> usize {
        let number = self.0.get(self.1).copied().unwrap_or(0);
        self.1 += 1;
        number as usize % choices
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.pick(of.len())]
    }

    fn done(&self) -> bool {
        self.1 >= self.0.len()
    }
}

const DAYS: [&str; 8] =
    ["2021-01-01", "2021-01-01", "2020-12-31", "2020-02-29", "2021-01-31", "1900-01-01", "9999-12-31", "0001-01-01"];
const TEXTS: [&str; 8] = ["a", "A", "b", "", "a ", "é", "||a1,b", "12"];
const INTS: [i64; 7] = [0, 1, -1, 2, 7, i64::MAX, 1 << 53];
const FLOATS: [f64; 7] = [0.0, -0.0, 1.5, -2.25, 1e16, 1e308, 5e-324];
const TIMES: [&str; 3] = ["T00:00:00", "T23:59:59", "T00:00:00"];

fn value(s: &mut Script, kind: Type) -> Value {
    if s.pick(5) == 0 {
        return Value::Null;
    }
    match kind {
        Type::Bool => Value::Bool(s.pick(2) == 0),
        Type::Int => Value::Int(s.one(&INTS)),
        Type::Float => Value::Float(s.one(&FLOATS)),
        Type::Str => Value::text(s.one(&TEXTS)),
        Type::Date => Value::Date(s.one(&DAYS).parse().unwrap()),
        Type::DateTime => Value::DateTime(format!("{}{}", s.one(&DAYS), s.one(&TIMES)).parse().unwrap()),
    }
}

const TABLES: [(&str, &[&str]); 4] = [
    ("CodedEvent", &["CodedEvent_ID", "ConsultationDate", "CTV3Code", "NumericValue"]),
    ("APCS", &["APCS_Ident", "Admission_Date", "Der_Spell_LoS", "Ethnic_Group"]),
    ("CPNS", &["Id", "DateOfDeath", "Age", "NHSworker"]),
    ("VaccinationReference", &["VaccinationName_ID", "VaccinationContent"]),
];

fn kind_of(table: &str, column: &str) -> Type {
    let table = Catalogue::tpp().table(table).unwrap();
    Catalogue::tpp().column(table, column).unwrap().kind.value_type()
}

/// Patients 1 to 5, and rows of them and of a sixth who is not there.
pub(crate) fn tables(mut s: Script) -> Tables {
    let mut tables = Tables::default();
    let patients =
        (1..=5).map(|id| vec![Value::Int(id), value(&mut s, Type::Date), value(&mut s, Type::Str)]).collect();
    let columns = ["Patient_ID", "DateOfBirth", "Sex"].map(str::to_owned).to_vec();
    tables.insert("Patient", Rows { columns, rows: patients });
    for (table, columns) in TABLES {
        let nobody = table == "VaccinationReference";
        let rows = (0..8 + s.pick(10)).map(|number| {
            let patient = (!nobody).then(|| Value::Int(1 + s.pick(6) as i64));
            // ids are there once, as in every real table
            let id = Value::Int(number as i64 % if nobody { 4 } else { i64::MAX });
            let cells = columns[1..].iter().map(|column| value(&mut s, kind_of(table, column)));
            patient.into_iter().chain([id]).chain(cells).collect()
        });
        let rows = rows.collect();
        let patient = (!nobody).then_some("Patient_ID");
        let columns = patient.into_iter().chain(columns.iter().copied()).map(str::to_owned).collect();
        tables.insert(table, Rows { columns, rows });
    }
    let pair = |_| vec![value(&mut s, Type::Str), value(&mut s, Type::Str)];
    let (columns, rows) = (["id", "prev_id"].map(str::to_owned).to_vec(), (0..5).map(pair).collect());
    tables.insert("VmpMapping", Rows { columns, rows });
    tables
}

fn changed(tables: &Tables, change: impl Fn(&mut Rows)) -> Tables {
    let mut result = Tables::default();
    for name in tables.names() {
        let mut rows = tables.get(name).unwrap().clone();
        if rows.columns[0] == "Patient_ID" {
            change(&mut rows);
        }
        result.insert(name, rows);
    }
    result
}

pub(crate) fn without(tables: &Tables, patient: i64) -> Tables {
    changed(tables, |rows| rows.rows.retain(|row| row[0] != Value::Int(patient)))
}

pub(crate) fn by_patient_descending(tables: &Tables) -> Tables {
    changed(tables, |rows| rows.rows.sort_by(|a, b| b[0].order(&a[0])))
}

pub(crate) fn bindings() -> Bindings {
    [("index_date".to_owned(), Value::Date("2021-01-31".parse().unwrap()))].into()
}

/// What is there to choose from: frame 0 stands for the patient.
struct Draw {
    b: Builder<'static>,
    s: Script,
    frames: Vec<Frame>,
    /// Series of the patient, then of each frame.
    pools: Vec<Vec<Series>>,
    joins: usize,
}

const KINDS: [Type; 5] = [Type::Bool, Type::Int, Type::Float, Type::Str, Type::Date];

pub(crate) fn graph(script: Script) -> Graph {
    let ties = [Ties::V1, Ties::Table, Ties::Ehrql][script.0.first().copied().unwrap_or(0) as usize % 3];
    let b = Builder::new(Catalogue::tpp(), ties, Universe::Patients);
    let mut d = Draw { b, s: script, frames: Vec::new(), pools: vec![Vec::new()], joins: 0 };
    let patient = d.b.table("Patient");
    for column in ["DateOfBirth", "Sex"] {
        let series = d.b.column(patient, column);
        d.pools[0].push(series);
    }
    let index = d.b.parameter("index_date", Type::Date);
    d.pools[0].push(index);
    for (table, columns) in &TABLES[..3] {
        let frame = d.b.table(table);
        d.add(frame, columns.iter().map(|c| (*c).to_owned()).collect());
    }
    while !d.s.done() {
        d.step();
    }
    let population = d.operand(0, Type::Bool);
    let everybody = d.b.value(true);
    // mostly everybody: an empty answer tells nothing
    let population = if d.s.0.len().is_multiple_of(4) { population } else { everybody };
    let wanted: Vec<Series> = d.pools[0].iter().rev().take(12).copied().collect();
    for (at, series) in wanted.into_iter().enumerate() {
        d.b.variable(format!("v{at}"), series, at % 5 == 4);
    }
    d.b.finish(population)
}

impl Draw {
    fn add(&mut self, frame: Frame, columns: Vec<String>) {
        let mut pool = Vec::new();
        for column in columns {
            let series = self.b.column(frame, &column);
            pool.push(series);
            if self.b.type_of(series) == Some(Type::DateTime) {
                pool.push(self.b.day(series));
            }
        }
        self.frames.push(frame);
        self.pools.push(pool);
    }

    fn step(&mut self) {
        match self.s.pick(12) {
            0 => self.frame(),
            1 | 2 => self.aggregate(),
            3 => self.pick_row(),
            4 | 5 => self.series_of(0),
            _ => {
                let at = self.s.pick(self.pools.len());
                self.series_of(at);
            }
        }
    }

    fn series_of(&mut self, at: usize) {
        let kind = self.s.one(&KINDS);
        let series = self.operation(at, kind);
        self.pools[at].push(series);
    }

    /// A series of a type: of the frame, of the patient, or a constant.
    fn operand(&mut self, at: usize, kind: Type) -> Series {
        let from = if at > 0 && self.s.pick(4) == 0 { 0 } else { at };
        let fitting: Vec<Series> =
            self.pools[from].iter().copied().filter(|s| self.b.type_of(*s) == Some(kind)).collect();
        if fitting.is_empty() || self.s.pick(5) == 0 {
            return match value(&mut self.s, kind) {
                Value::Null => self.b.null(kind),
                value => self.b.value(value),
            };
        }
        self.s.one(&fitting)
    }

    /// A series that has a value for each row, for aggregates and sorts.
    fn rows(&mut self, at: usize, kinds: &[Type]) -> Option<Series> {
        let fits = |s: &Series| self.b.type_of(*s).is_some_and(|k| kinds.contains(&k)) && self.b.rows_of(*s).is_some();
        let fitting: Vec<Series> = self.pools[at].iter().copied().filter(fits).collect();
        if fitting.is_empty() { None } else { Some(self.s.one(&fitting)) }
    }

    fn frame(&mut self) {
        let at = 1 + self.s.pick(self.frames.len());
        let frame = self.frames[at - 1];
        match self.s.pick(8) {
            0 if self.joins < 2 => {
                self.joins += 1;
                let with = self.s.one(&["CodedEvent", "APCS", "VaccinationReference"]);
                let right = self.b.table(with);
                let kind = self.s.one(&[JoinKind::Inner, JoinKind::Left]);
                let id = TABLES.iter().find(|t| t.0 == with).unwrap().1[0];
                let Some(left) = self.b.columns(frame).into_iter().find(|c| self.is_id(frame, c)) else { return };
                let name = format!("j{}", self.joins);
                let joined = self.b.join(frame, right, &Joined { on: &[(&left, id)], kind, name: &name });
                let right: Vec<String> =
                    TABLES.iter().find(|t| t.0 == with).unwrap().1.iter().map(|c| format!("{name}.{c}")).collect();
                self.add(joined, right);
            }
            1 => {
                let frame = self.b.distinct(frame);
                self.add_supplied(frame);
            }
            2 => {
                let other = 1 + self.s.pick(self.frames.len());
                let mut branches = Vec::new();
                for at in [at, other] {
                    let kinds = [Type::Date, Type::Int];
                    let values = kinds.map(|kind| self.operand(at, kind)).to_vec();
                    branches.push((self.frames[at - 1], values));
                }
                // two of two of two would multiply rows
                if self.frames.len() < 10 {
                    let union = self.b.union(&["day", "n"], branches);
                    self.add(union, vec!["day".into(), "n".into()]);
                }
            }
            3 => {
                let Some(by) = self.rows(at, &KINDS) else { return };
                let direction = self.s.one(&[Direction::Asc, Direction::Desc]);
                let sorted = self.b.sort(frame, by, direction);
                self.frames.push(sorted);
                self.pools.push(self.pools[at].clone());
            }
            _ => {
                let condition = self.operation(at, Type::Bool);
                let filtered = self.b.filter(frame, condition);
                self.add_supplied(filtered);
            }
        }
    }

    fn is_id(&self, frame: Frame, column: &str) -> bool {
        let _ = frame;
        ["CodedEvent_ID", "APCS_Ident", "Id", "n"].contains(&column)
    }

    /// A frame with the columns of tables that are supplied.
    fn add_supplied(&mut self, frame: Frame) {
        let supplied: Vec<&str> = TABLES.iter().flat_map(|t| t.1.iter().copied()).chain(["day", "n"]).collect();
        let columns = self.b.columns(frame);
        let columns = columns.into_iter().filter(|c| supplied.contains(&c.rsplit('.').next().unwrap())).collect();
        self.add(frame, columns);
    }

    fn pick_row(&mut self) {
        let at = 1 + self.s.pick(self.frames.len());
        let frame = self.frames[at - 1];
        let Some(by) = self.rows(at, &KINDS) else { return };
        let direction = self.s.one(&[Direction::Asc, Direction::Desc]);
        let picked = match self.s.pick(4) {
            0 => {
                let sorted = self.b.sort(frame, by, direction);
                self.b.pick_first(sorted)
            }
            1 => {
                let sorted = self.b.sort(frame, by, direction);
                self.b.pick_last(sorted)
            }
            2 => self.b.pick_by(frame, &[SortKey { by, direction }], Then::EveryColumn),
            _ => self.b.pick_by(frame, &[SortKey { by, direction }], Then::RowOrder),
        };
        let supplied: Vec<&str> = TABLES.iter().flat_map(|t| t.1.iter().copied()).chain(["day", "n"]).collect();
        for column in self.b.columns(picked) {
            if supplied.contains(&column.rsplit('.').next().unwrap()) {
                let series = self.b.column(picked, &column);
                if self.b.type_of(series) != Some(Type::DateTime) {
                    self.pools[0].push(series);
                }
            }
        }
    }

    fn aggregate(&mut self) {
        let at = 1 + self.s.pick(self.frames.len());
        let frame = self.frames[at - 1];
        let ordered = [Type::Int, Type::Float, Type::Str, Type::Date];
        let numbers = [Type::Int, Type::Float];
        let made = match self.s.pick(11) {
            0 => Some(self.b.exists(frame)),
            1 => Some(self.b.count(frame)),
            2 => self.rows(at, &KINDS).map(|of| self.b.count_distinct(of)),
            3 => self.rows(at, &ordered).map(|of| self.b.min(of)),
            4 => self.rows(at, &ordered).map(|of| self.b.max(of)),
            5 => self.rows(at, &numbers).map(|of| self.b.sum(of)),
            6 => self.rows(at, &numbers).map(|of| self.b.mean(of)),
            7 => {
                let days = self.s.pick(40) as u32;
                self.rows(at, &[Type::Date]).map(|of| self.b.count_episodes(of, days))
            }
            8 => {
                let tie = self.s.one(&[Tie::Least, Tie::Greatest]);
                self.rows(at, &KINDS).map(|of| self.b.most_frequent(of, tie))
            }
            9 => {
                let (group, of) = (self.rows(at, &KINDS), self.rows(at, &numbers));
                group.zip(of).map(|(group, of)| self.b.sum_of_group_max(group, of))
            }
            _ => self.rows(at, &[Type::Str]).map(|of| {
                let set = self.b.set(of);
                let text = self.operand(0, Type::Str);
                let collation = self.s.one(&[Collation::Exact, Collation::Ci]);
                self.b.is_in(text, set, collation)
            }),
        };
        self.pools[0].extend(made);
    }

    fn set(&mut self, kind: Type) -> Series {
        if kind == Type::Str && self.s.pick(2) == 0 {
            let codes = [self.s.one(&TEXTS), self.s.one(&TEXTS)];
            return self.b.codelist("ctv3", codes);
        }
        let values: Vec<Value> =
            (0..self.s.pick(4)).map(|_| value(&mut self.s, kind)).filter(|v| !v.is_null()).collect();
        self.b.values(kind, values)
    }

    #[allow(clippy::too_many_lines, reason = "one line or two for each operation")]
    fn operation(&mut self, at: usize, kind: Type) -> Series {
        let ci = self.s.one(&[Collation::Exact, Collation::Ci]);
        let general = self.s.pick(if kind == Type::Bool { 9 } else { 6 });
        if general < 2 {
            let (x, y) = (self.operand(at, kind), self.operand(at, kind));
            return if general == 0 {
                self.b.coalesce([x, y])
            } else {
                let when = self.operand(at, Type::Bool);
                let default = (self.s.pick(2) == 0).then_some(y);
                self.b.case([(when, x)], default)
            };
        }
        if general == 2 && kind != Type::Bool {
            let (x, y) = (self.operand(at, kind), self.operand(at, kind));
            return if self.s.pick(2) == 0 { self.b.min_of([x, y], ci) } else { self.b.max_of([x, y], ci) };
        }
        match kind {
            Type::Bool => self.truth(at, ci),
            Type::Int => self.int(at),
            Type::Float => self.float(at),
            Type::Str => self.text(at, ci),
            Type::Date | Type::DateTime => self.date(at),
        }
    }

    fn truth(&mut self, at: usize, ci: Collation) -> Series {
        let (p, q) = (self.operand(at, Type::Bool), self.operand(at, Type::Bool));
        let choice = self.s.pick(12);
        match choice {
            0 => self.b.and([p, q]),
            1 => self.b.or([p, q]),
            2 => self.b.not(p),
            3 => {
                let kind = self.s.one(&KINDS);
                let of = self.operand(at, kind);
                self.b.is_null(of)
            }
            4 => {
                let kind = self.s.one(&KINDS);
                let (of, set) = (self.operand(at, kind), self.set(kind));
                self.b.is_in(of, set, ci)
            }
            5..=7 => {
                let of = self.operand(at, Type::Str);
                let text = if self.s.pick(2) == 0 { self.set(Type::Str) } else { self.operand(at, Type::Str) };
                match choice {
                    5 => self.b.starts_with(of, text, ci),
                    6 => self.b.contains(of, text, ci),
                    _ => self.b.contains_after_boundary(of, text, ci),
                }
            }
            8 if at == 0 => self.b.sample(50.0),
            _ => {
                let kind = self.s.one(&[Type::Int, Type::Float, Type::Str, Type::Date]);
                use Comparison::{Eq, Ge, Gt, Le, Lt, Ne};
                let comparison = self.s.one(&[Eq, Ne, Lt, Le, Gt, Ge]);
                let (x, y) = (self.operand(at, kind), self.operand(at, kind));
                self.b.compare(comparison, x, y, ci)
            }
        }
    }

    fn int(&mut self, at: usize) -> Series {
        let (x, y) = (self.operand(at, Type::Int), self.operand(at, Type::Int));
        let (d, e) = (self.operand(at, Type::Date), self.operand(at, Type::Date));
        match self.s.pick(16) {
            0 => self.b.add(x, y),
            1 => self.b.sub(x, y),
            2 => self.b.mul(x, y),
            3 => self.b.floor_div(x, y),
            4 => {
                // seldom by zero: a run that stops tells nothing
                let two = self.b.value(2);
                let by = if self.s.pick(8) == 0 { y } else { two };
                self.b.div_int(x, by)
            }
            5 => self.b.neg(x),
            6 => self.b.abs(x),
            7 => {
                let kind = self.s.one(&[Type::Bool, Type::Float]);
                let of = self.operand(at, kind);
                self.b.cast(of, Type::Int)
            }
            8 => {
                let unit = self.s.one(&[Unit::Days, Unit::Weeks, Unit::Months, Unit::Years]);
                self.b.difference(unit, d, e)
            }
            9 => self.b.year_boundaries_between(d, e),
            10 => self.b.year(d),
            11 => self.b.month(d),
            12 => self.b.day_of_month(d),
            13 => self.b.round_half_away(x, 1),
            14 => {
                let text = self.b.str(" 12 ");
                self.b.cast(text, Type::Int)
            }
            _ => {
                let one = self.b.value(1);
                self.b.add(x, one)
            }
        }
    }

    fn float(&mut self, at: usize) -> Series {
        let (x, y) = (self.operand(at, Type::Float), self.operand(at, Type::Float));
        let n = self.operand(at, Type::Int);
        match self.s.pick(11) {
            0 => self.b.add(x, y),
            1 => self.b.sub(x, y),
            2 => self.b.mul(x, y),
            3 => self.b.div(x, y),
            4 => self.b.floor_div(x, y),
            5 => self.b.power(x, y),
            6 => self.b.neg(x),
            7 => self.b.round_half_away(x, 1),
            8 => self.b.cast(n, Type::Float),
            9 => {
                let m = self.operand(at, Type::Int);
                self.b.div(n, m)
            }
            _ => self.b.abs(x),
        }
    }

    fn text(&mut self, at: usize, ci: Collation) -> Series {
        let (x, y, z) = (self.operand(at, Type::Str), self.operand(at, Type::Str), self.operand(at, Type::Str));
        match self.s.pick(7) {
            0 => self.b.concat([x, y]),
            5 => {
                let (known, links) = (self.set(Type::Str), self.b.table("VmpMapping"));
                self.b.linked(x, known, links, "id", "prev_id")
            }
            1 => self.b.replace(x, y, z, ci),
            2 => self.b.trim(x),
            3 => {
                let known = self.set(Type::Str);
                self.b.known_parts(x, ",", known, "other")
            }
            4 => {
                let n = self.operand(at, Type::Int);
                self.b.cast(n, Type::Str)
            }
            _ => {
                let day = self.operand(at, Type::Date);
                let format = self.s.one(&[DateFormat::Day, DateFormat::Month, DateFormat::Year, DateFormat::British]);
                self.b.cast_date(day, Type::Str, format)
            }
        }
    }

    fn date(&mut self, at: usize) -> Series {
        let day = self.operand(at, Type::Date);
        let period = self.s.one(&[Period::Month, Period::Year, Period::NhsFinancialYear, Period::SchoolYear]);
        match self.s.pick(4) {
            0 => self.b.first_day_of(period, day),
            1 => self.b.last_day_of(period, day),
            2 => {
                // through text and back
                let text = self.b.cast(day, Type::Str);
                self.b.cast(text, Type::Date)
            }
            _ => {
                let n = self.operand(at, Type::Int);
                let unit = self.s.one(&[Unit::Days, Unit::Weeks, Unit::Months, Unit::Years]);
                let overflow =
                    self.s.one(&[Overflow::Clamp, Overflow::Roll, Overflow::Clamp, Overflow::Roll, Overflow::Error]);
                self.b.date_add(unit, day, n, overflow)
            }
        }
    }
}
