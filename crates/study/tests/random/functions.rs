//! Random calls of every function, as Python text. Only what the checks let pass: a fault of a drawn study is a failure.

use study::functions::{self, Returns};

use super::draw::Draw;

/// Words of the meta test that no data make vary.
pub const CONSTANT: [&str; 4] = ["all", "random_sample", "fixed_value", "today"];

const LISTS: &str = r#"c1 = codelist(["Ab1..", "Xab12", "Ab1..", "XAB12"], "ctv3")
c2 = codelist([("Ab1..", "x"), ("22K..", "y"), ("Xab12", "x"), ("XAB12", "z")], "ctv3")
s1 = codelist(["11", "22"], "snomed")
s2 = codelist([("11", "p"), ("33", "q")], "snomed")
m1 = codelist(["100", "abc"], "snomed")
m2 = codelist([("100", "old"), ("300", "new"), ("ABC", "c")], "snomed")
icd = codelist(["I21"], "icd10")
opcs = codelist(["K40"], "opcs4")
"#;

/// A drawn study.
pub struct Drawn {
    pub seed: u64,
    pub text: String,
    /// Visible columns, with the functions, operators and so on behind each.
    pub columns: Vec<(String, Vec<String>)>,
}

/// Type of a drawn column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum K {
    Bool,
    Int,
    /// Whose missing value is no plain 0.
    Label,
    Float,
    Str,
    /// With so many characters.
    Date(u8),
}

/// A column that later ones may use.
#[derive(Debug, Clone)]
pub struct Known {
    pub name: String,
    pub kind: K,
    /// Texts that read as numbers.
    pub numeric: bool,
    /// `date_of` may ask for its day.
    dated: bool,
    /// Comparators and bounds belong to it.
    event: bool,
    /// A clinical code, which compares with case.
    pub code: bool,
}

pub struct Studio<'d> {
    pub draw: &'d mut Draw,
    pub known: Vec<Known>,
    /// Of the column that is being drawn.
    pub words: Vec<String>,
    names: usize,
    columns: Vec<(String, Vec<String>)>,
}

/// A call, and what its column is.
struct Call {
    text: String,
    kind: K,
    numeric: bool,
    dated: bool,
    event: bool,
    /// Columns that follow: suffix and characters.
    companion: Option<(&'static str, u8)>,
}

/// All that must have been drawn.
pub fn all() -> Vec<&'static str> {
    let mut words = vec![
        "+",
        "-",
        "*",
        "/",
        "=",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "AND",
        "OR",
        "NOT",
        "first_day_of_",
        "last_day_of_",
        "today",
    ];
    for function in functions::table().functions().iter().filter(|f| f.unavailable.is_none()) {
        words.push(function.name.as_str());
        if let Returns::Choice(choices) = &function.returns {
            let wanted = choices.iter().filter(|c| !c.name.starts_with("rct__"));
            words.extend(wanted.map(|c| &*Box::leak(format!("{} -> {}", function.name, c.name).into_boxed_str())));
        }
    }
    words
}

pub fn study(draw: &mut Draw) -> Drawn {
    let seed = draw.seed;
    let mut studio = Studio { draw, known: Vec::new(), words: Vec::new(), names: 0, columns: Vec::new() };
    let mut lines = Vec::new();
    for _ in 0..34 {
        let line = studio.line(true);
        lines.push(format!("    {line},\n"));
    }
    let population = match studio.draw.below(4) {
        0 => "patients.all()".to_owned(),
        1 => "patients.which_exist_in_file(\"output/values.csv\")".to_owned(),
        2 => format!("patients.satisfying(\"{} OR all_of_them\", all_of_them=patients.all())", studio.truth(2)),
        _ => format!("patients.satisfying(\"{}\")", studio.truth(1)),
    };
    let text = format!(
        "{LISTS}study = StudyDefinition(\n    index_date=\"2021-03-01\",\n    population={population},\n{})\n",
        lines.concat()
    );
    Drawn { seed, text, columns: studio.columns }
}

impl Studio<'_> {
    /// `name=patients.…`, known from now on.
    fn line(&mut self, visible: bool) -> String {
        self.names += 1;
        let name = format!("v{}", self.names);
        let outer = if visible { Vec::new() } else { std::mem::take(&mut self.words) };
        if visible {
            self.words.clear();
        }
        let call = self.call(visible);
        let Call { text, kind, numeric, dated, event, companion } = call;
        let code = text.contains("with_these_clinical_events") && text.contains("returning=\"code\"");
        self.known.push(Known { name: name.clone(), kind, numeric, dated, event, code });
        if visible {
            self.columns.push((name.clone(), self.words.clone()));
        }
        if let Some((suffix, length)) = companion {
            let name = format!("{name}_{suffix}");
            self.known.push(Known {
                name: name.clone(),
                kind: K::Date(length),
                numeric: length == 4,
                dated: false,
                event: false,
                code: false,
            });
            if visible {
                self.columns.push((name, Vec::new()));
            }
        }
        if !visible {
            let inner = std::mem::replace(&mut self.words, outer);
            self.words.extend(inner);
        }
        format!("{name}={text}")
    }

    fn call(&mut self, outer: bool) -> Call {
        match self.draw.below(if outer { 58 } else { 30 }) {
            0..=5 => self.coded("with_these_clinical_events"),
            6..=8 => self.coded("with_these_medications"),
            9 => self.bmi(),
            10 | 11 => self.recorded(),
            12 => self.choice(
                "with_gp_consultations",
                "",
                &[("binary_flag", K::Bool), ("date", K::Date(0)), ("number_of_matches_in_period", K::Int)],
                true,
            ),
            13 => self.frailty(),
            14 => {
                self.word("with_healthcare_worker_flag_on_covid_vaccine_record");
                self.word("with_healthcare_worker_flag_on_covid_vaccine_record -> binary_flag");
                plain("patients.with_healthcare_worker_flag_on_covid_vaccine_record()".into(), K::Bool)
            }
            15 => self.vaccine(),
            16 | 17 => self.death(),
            18 | 19 => self.admission(),
            20 => self.emergency(),
            21 => self.outpatient(),
            22 => self.icu(),
            23 | 24 => self.sgss(),
            25 => self.ethnicity(),
            26 => self.therapeutics(),
            27 => self.rare(),
            28 | 29 => self.person(),
            30..=33 => self.place(),
            34..=37 => self.value_from(),
            38 | 39 => self.computed(),
            40 | 41 => self.satisfying(),
            42 | 43 => self.aggregate(),
            44 => self.file(),
            45..=49 => self.rare(),
            50..=52 => self.place(),
            53 | 54 => self.death(),
            55 | 56 => self.outpatient(),
            _ => self.constant(),
        }
    }

    pub fn word(&mut self, word: &str) {
        self.words.push(word.to_owned());
    }

    fn asked(&mut self, function: &str, returning: &str) {
        self.word(function);
        self.words.push(format!("{function} -> {returning}"));
    }

    // ---- arguments ----

    /// A date expression.
    fn date(&mut self) -> String {
        let columns: Vec<String> =
            self.known.iter().filter(|k| matches!(k.kind, K::Date(7 | 10))).map(|k| k.name.clone()).collect();
        let edge = self.draw.chance(25).then(|| {
            let side = self.draw.of(&["first_day_of_", "last_day_of_"]);
            (side, self.draw.of(&["month", "year", "nhs_financial_year", "school_year"]))
        });
        let offset = |draw: &mut Draw, units: &[&str]| {
            if draw.chance(50) {
                let sign = draw.of(&["+", "-"]);
                let (n, unit) = (draw.of(&["0", "1", "1", "1", "2", "12", "13"]), draw.of(units));
                format!(" {sign} {n} {unit}")
            } else {
                String::new()
            }
        };
        let (name, fixed) = match self.draw.below(10) {
            0..=2 => {
                return self
                    .draw
                    .of(&["2021-03-01", "2020-02-29", "1900-01-01", "2021-03-31", "9999-12-31"])
                    .to_owned();
            }
            3..=5 => ("index_date".to_owned(), true),
            6 => ("today".to_owned(), true),
            _ if columns.is_empty() => ("index_date".to_owned(), true),
            // an end of a month and one month more: where calendars clamp
            _ if self.draw.chance(35) => {
                let unit = self.draw.of(&["month", "month", "year"]);
                return format!("{} + 1 {unit}", columns[self.draw.below(columns.len())]);
            }
            _ => (columns[self.draw.below(columns.len())].clone(), false),
        };
        if name == "today" {
            self.word("today");
        }
        let strict = fixed && (name == "today" || edge.is_some_and(|(side, _)| side == "last_day_of_"));
        let units: &[&str] =
            if strict { &["day", "days"] } else { &["day", "days", "month", "months", "year", "years"] };
        let offset = offset(self.draw, units);
        match edge {
            Some((side, period)) => {
                self.word(side);
                format!("{side}{period}({name}){offset}")
            }
            None => format!("{name}{offset}"),
        }
    }

    fn period(&mut self) -> String {
        match self.draw.below(5) {
            0 => String::new(),
            1 => format!(", on_or_after=\"{}\"", self.date()),
            2 => format!(", on_or_before=\"{}\"", self.date()),
            3 => format!(", between=[\"{}\", \"{}\"]", self.date(), self.date()),
            _ => format!(", between=[\"{}\", \"{}\"]", self.draw.of(&["1900-01-01", "2015-01-01"]), self.date()),
        }
    }

    fn which(&mut self) -> &'static str {
        match self.draw.below(4) {
            0 | 1 => "",
            2 => ", find_first_match_in_period=True",
            _ => ", find_last_match_in_period=True",
        }
    }

    fn format(&mut self) -> (String, u8) {
        match self.draw.below(4) {
            0 => (String::new(), 4),
            1 => (", date_format=\"YYYY-MM\"".into(), 7),
            _ => (", date_format=\"YYYY-MM-DD\"".into(), 10),
        }
    }

    /// A call with a period, a pick, and one of some values of `returning`; `Date(0)` takes a drawn format.
    fn choice(&mut self, function: &str, first: &str, choices: &[(&'static str, K)], dated: bool) -> Call {
        let (returning, kind) = choices[self.draw.below(choices.len())];
        self.asked(function, returning);
        let (period, which) = (self.period(), self.which());
        let mut text = format!("patients.{function}({first}{period}{which}, returning=\"{returning}\"");
        let mut found = kind;
        if kind == K::Date(0) {
            let (format, length) = self.format();
            text += &format;
            found = K::Date(length);
        }
        text = text.replacen("(, ", "(", 1) + ")";
        // a date_of would change the format of a date
        let dated = dated && !matches!(found, K::Date(_));
        let call = plain(text, found);
        Call { dated, ..call }
    }

    // ---- functions ----

    fn coded(&mut self, function: &'static str) -> Call {
        let clinical = function == "with_these_clinical_events";
        let (returning, kind) = [
            ("binary_flag", K::Bool),
            ("date", K::Date(0)),
            ("number_of_matches_in_period", K::Int),
            ("number_of_episodes", K::Int),
            ("code", K::Str),
            ("category", K::Str),
            ("numeric_value", K::Float),
            ("numeric_value", K::Float),
        ][self.draw.below(if clinical { 8 } else { 6 })];
        self.asked(function, returning);
        let list = match (clinical, returning) {
            (true, "category") => self.draw.of(&["c2", "s2"]),
            (true, _) => self.draw.of(&["c1", "c1", "c2", "s1"]),
            (false, "category") => "m2",
            (false, _) => self.draw.of(&["m1", "m2"]),
        };
        let period = self.period();
        let mut text = format!("patients.{function}({list}{period}, returning=\"{returning}\"");
        if clinical && self.draw.chance(25) {
            text += ", ignore_missing_values=True";
        }
        if self.draw.chance(20) {
            let argument = if clinical {
                "ignore_days_where_these_codes_occur"
            } else {
                "ignore_days_where_these_clinical_codes_occur"
            };
            text += &format!(", {argument}={}", self.draw.of(&["c1", "c2", "s1"]));
        }
        if returning == "number_of_episodes" {
            if self.draw.chance(70) {
                let days = self.draw.of(&["0", "1", "31", "400"]);
                text += &format!(", episode_defined_as=\"series of events each <= {days} days apart\"");
            }
            return plain(text + ")", K::Int);
        }
        text += self.which();
        let (mut kind, mut companion) = (kind, None);
        if kind == K::Date(0) {
            let (format, length) = self.format();
            text += &format;
            kind = K::Date(length);
        } else if self.draw.chance(40) {
            let (format, length) = self.format();
            text += &format!(", include_date_of_match=True{format}");
            companion = Some(("date", length));
        }
        let dated = !matches!(kind, K::Date(_)) && companion.is_none();
        Call { text: text + ")", kind, numeric: false, dated, event: returning == "numeric_value", companion }
    }

    fn bmi(&mut self) -> Call {
        self.word("most_recent_bmi");
        let period = self.period();
        let age = self.draw.of(&["", ", minimum_age_at_measurement=0", ", minimum_age_at_measurement=40"]);
        let (format, length) = self.format();
        let text = format!("patients.most_recent_bmi({period}{age}, include_measurement_date=True{format})")
            .replacen("(, ", "(", 1);
        Call { companion: Some(("date_measured", length)), ..plain(text, K::Float) }
    }

    fn recorded(&mut self) -> Call {
        let function = self.draw.of(&["mean_recorded_value", "min_recorded_value", "max_recorded_value"]);
        self.word(function);
        let (list, period) = (self.draw.of(&["c1", "c2", "s1"]), self.period());
        if self.draw.chance(40) {
            return plain(
                format!("patients.{function}({list}, on_most_recent_day_of_measurement=False{period})"),
                K::Float,
            );
        }
        let text = format!("patients.{function}({list}, on_most_recent_day_of_measurement=True{period}");
        if self.draw.chance(50) {
            return Call { dated: true, ..plain(text + ")", K::Float) };
        }
        let (format, length) = self.format();
        let call = plain(format!("{text}, include_measurement_date=True{format})"), K::Float);
        Call { companion: Some(("date_measured", length)), ..call }
    }

    fn frailty(&mut self) -> Call {
        let ignore = self.draw.of(&["", ", ignore_missing_values=True"]);
        let choices = [
            ("binary_flag", K::Bool),
            ("date", K::Date(0)),
            ("number_of_matches_in_period", K::Int),
            ("numeric_value", K::Float),
            ("numeric_value", K::Float),
        ];
        self.choice(
            "with_these_decision_support_values",
            &format!("\"electronic_frailty_index\"{ignore}"),
            &choices,
            true,
        )
    }

    fn vaccine(&mut self) -> Call {
        let what = self.draw.of(&[
            "target_disease_matches=\"flu\"",
            "target_disease_matches=[\"FLU\", \"COVID\"], product_name_matches=\"A\"",
            "product_name_matches=[\"a\", \"b\"]",
        ]);
        let choices = [("binary_flag", K::Bool), ("date", K::Date(0))];
        if self.draw.chance(50) {
            return self.choice("with_tpp_vaccination_record", what, &choices, true);
        }
        self.choice("with_vaccination_record", &format!("tpp=dict({what}), emis={{}}"), &choices, true)
    }

    fn death(&mut self) -> Call {
        let certificate = [
            ("binary_flag", K::Bool),
            ("date_of_death", K::Date(0)),
            ("underlying_cause_of_death", K::Str),
            ("place_of_death", K::Str),
        ];
        let (function, first, choices) = match self.draw.below(4) {
            0 => ("died_from_any_cause", "", &certificate[..]),
            1 => (
                "with_these_codes_on_death_certificate",
                self.draw.of(&["icd", "icd, match_only_underlying_cause=True"]),
                &certificate[..],
            ),
            2 => ("with_death_recorded_in_cpns", "", &certificate[..2]),
            _ => ("with_death_recorded_in_primary_care", "", &certificate[..2]),
        };
        let (returning, kind) = choices[self.draw.below(choices.len())];
        self.asked(function, returning);
        let period = self.period();
        let (format, length) = if kind == K::Date(0) { self.format() } else { (String::new(), 0) };
        let text =
            format!("patients.{function}({first}{period}, returning=\"{returning}\"{format})").replacen("(, ", "(", 1);
        plain(text, if kind == K::Date(0) { K::Date(length) } else { kind })
    }

    fn admission(&mut self) -> Call {
        const FUNCTION: &str = "admitted_to_hospital";
        let mut filters = String::new();
        for filter in [
            "with_these_diagnoses=icd",
            "with_these_primary_diagnoses=icd",
            "with_these_procedures=opcs",
            "with_admission_method=[\"21\", \"2A\"]",
            "with_source_of_admission=\"19\"",
            "with_discharge_destination=[\"29\"]",
            "with_patient_classification=\"1\"",
            "with_admission_treatment_function_code=\"100\"",
            "with_administrative_category=\"01\"",
            "with_at_least_one_day_in_critical_care=True",
        ] {
            if self.draw.chance(8) {
                filters += &format!(", {filter}");
            }
        }
        let texts = [
            "primary_diagnosis",
            "admission_method",
            "source_of_admission",
            "discharge_destination",
            "patient_classification",
            "admission_treatment_function_code",
            "administrative_category",
            "duration_of_elective_wait",
            "days_in_critical_care",
        ];
        match self.draw.below(4) {
            0 => {
                let returning = self.draw.of(&["total_bed_days_in_period", "total_critical_care_days_in_period"]);
                self.asked(FUNCTION, returning);
                let period = self.period();
                let text = format!("patients.{FUNCTION}(returning=\"{returning}\"{period}{filters})");
                plain(text, K::Int)
            }
            1 => self.choice(
                FUNCTION,
                filters.trim_start_matches(", "),
                &[
                    ("binary_flag", K::Bool),
                    ("date_admitted", K::Date(0)),
                    ("date_discharged", K::Date(0)),
                    ("number_of_matches_in_period", K::Int),
                ],
                false,
            ),
            _ => {
                let choices: Vec<(&'static str, K)> = texts.iter().map(|t| (*t, K::Str)).collect();
                self.choice(FUNCTION, filters.trim_start_matches(", "), &choices, false)
            }
        }
    }

    fn emergency(&mut self) -> Call {
        let filter = self.draw.of(&[
            "",
            "",
            "with_these_diagnoses=codelist([\"900\", \"abc\"], \"snomed\")",
            "discharged_to=[\"ABC\"]",
        ]);
        self.choice(
            "attended_emergency_care",
            filter,
            &[
                ("binary_flag", K::Bool),
                ("date_arrived", K::Date(0)),
                ("number_of_matches_in_period", K::Int),
                ("discharge_destination", K::Str),
            ],
            false,
        )
    }

    fn outpatient(&mut self) -> Call {
        const FUNCTION: &str = "outpatient_appointment_date";
        let (returning, kind) = [
            ("binary_flag", K::Bool),
            ("date", K::Date(10)),
            ("number_of_matches_in_period", K::Int),
            ("consultation_medium_used", K::Str),
            ("consultation_medium_used", K::Str),
        ][self.draw.below(5)];
        self.asked(FUNCTION, returning);
        let filter = self.draw.of(&[
            "",
            "",
            ", attended=True",
            ", is_first_attendance=True",
            ", with_these_treatment_function_codes=[\"100\"]",
            ", with_these_procedures=opcs",
        ]);
        let period = match self.draw.below(3) {
            0 => String::new(),
            1 => format!(", on_or_after=\"{}\"", self.date()),
            _ => format!(", between=[\"1900-01-01\", \"{}\"]", self.date()),
        };
        let which = self.draw.of(&["", ", find_first_match_in_period=True"]);
        let text = format!("patients.{FUNCTION}(returning=\"{returning}\"{filter}{period}{which})");
        Call { numeric: returning == "consultation_medium_used", ..plain(text, kind) }
    }

    fn icu(&mut self) -> Call {
        self.choice(
            "admitted_to_icu",
            "",
            &[
                ("binary_flag", K::Bool),
                ("had_respiratory_support", K::Bool),
                ("had_basic_respiratory_support", K::Bool),
                ("had_advanced_respiratory_support", K::Bool),
                ("date_admitted", K::Date(0)),
            ],
            false,
        )
    }

    fn sgss(&mut self) -> Call {
        const FUNCTION: &str = "with_test_result_in_sgss";
        let result = self.draw.of(&["any", "positive", "negative"]);
        let covid = format!("pathogen=\"SARS-CoV-2\", test_result=\"{result}\"");
        match self.draw.below(4) {
            0 => self.choice(
                FUNCTION,
                &covid,
                &[("binary_flag", K::Bool), ("date", K::Date(0)), ("s_gene_target_failure", K::Str)],
                false,
            ),
            1 => {
                self.asked(FUNCTION, "case_category");
                let period = self.period();
                let text = format!(
                    "patients.{FUNCTION}(pathogen=\"SARS-CoV-2\", test_result=\"positive\", find_first_match_in_period=True, returning=\"case_category\"{period})"
                );
                Call { dated: true, ..plain(text, K::Str) }
            }
            _ => self.choice(
                FUNCTION,
                &format!("{covid}, restrict_to_earliest_specimen_date=False"),
                &[
                    ("number_of_matches_in_period", K::Int),
                    ("variant", K::Str),
                    ("variant_detection_method", K::Str),
                    ("symptomatic", K::Str),
                    ("s_gene_target_failure", K::Str),
                ],
                false,
            ),
        }
    }

    fn ethnicity(&mut self) -> Call {
        let returning = self.draw.of(&["code", "group_6", "group_16"]);
        self.asked("with_ethnicity_from_sus", returning);
        let kind = if returning == "code" { K::Str } else { K::Label };
        plain(format!("patients.with_ethnicity_from_sus(returning=\"{returning}\", use_most_frequent_code=True)"), kind)
    }

    fn therapeutics(&mut self) -> Call {
        const FUNCTION: &str = "with_covid_therapeutics";
        let filter = self.draw.of(&[
            "",
            "",
            "with_these_statuses=[\"Approved\"]",
            "with_these_therapeutics=\"SOTROVIMAB\"",
            "with_these_indications=[\"non_hospitalised\"]",
        ]);
        if self.draw.chance(20) {
            self.asked(FUNCTION, "number_of_episodes");
            let period = self.period();
            let text = format!(
                "patients.{FUNCTION}({filter}{period}, returning=\"number_of_episodes\", episode_defined_as=\"series of events each <= 20 days apart\")"
            );
            return plain(text.replacen("(, ", "(", 1), K::Int);
        }
        self.choice(
            FUNCTION,
            filter,
            &[
                ("binary_flag", K::Bool),
                ("date", K::Date(0)),
                ("number_of_matches_in_period", K::Int),
                ("therapeutic", K::Str),
                ("risk_group", K::Str),
                ("region", K::Str),
            ],
            false,
        )
    }

    fn rare(&mut self) -> Call {
        match self.draw.below(3) {
            0 => {
                const FUNCTION: &str = "with_record_in_ukrr";
                let (returning, kind) = [
                    ("binary_flag", K::Bool),
                    ("renal_centre", K::Str),
                    ("treatment_modality_start", K::Str),
                    ("treatment_modality_prevalence", K::Str),
                    ("latest_creatinine", K::Int),
                    ("latest_egfr", K::Float),
                    ("rrt_start_date", K::Date(10)),
                ][self.draw.below(7)];
                self.asked(FUNCTION, returning);
                let dataset = self.draw.of(&["2019_prevalence", "2020_ckd"]);
                let format = if kind == K::Date(10) { ", date_format=\"YYYY-MM-DD\"" } else { "" };
                let period = if self.draw.chance(30) { self.period() } else { String::new() };
                plain(
                    format!(
                        "patients.{FUNCTION}(from_dataset=\"{dataset}\", returning=\"{returning}\"{period}{format})"
                    ),
                    kind,
                )
            }
            1 => {
                const FUNCTION: &str = "with_high_cost_drugs";
                let returning = self.draw.of(&["binary_flag", "date"]);
                self.asked(FUNCTION, returning);
                let (drug, period, which) = (
                    self.draw.of(&["drug_name_matches=\"adalimumab\"", "drug_name_matches=[\"OTHER\"]"]),
                    self.period(),
                    self.which(),
                );
                let (format, kind) =
                    if returning == "date" { (", date_format=\"YYYY-MM\"", K::Date(7)) } else { ("", K::Bool) };
                plain(format!("patients.{FUNCTION}({drug}{period}{which}, returning=\"{returning}\"{format})"), kind)
            }
            _ => {
                self.word("with_an_isaric_record");
                let (column, kind) =
                    [("age", K::Str), ("calc_age", K::Int), ("age_estimateyears", K::Float), ("hostdat", K::Date(10))]
                        [self.draw.below(4)];
                let filter = if self.draw.chance(40) {
                    format!(", date_filter_column=\"dsstdat\", between=[\"1900-01-01\", \"{}\"]", self.date())
                } else {
                    String::new()
                };
                plain(format!("patients.with_an_isaric_record(returning=\"{column}\"{filter})"), kind)
            }
        }
    }

    fn person(&mut self) -> Call {
        match self.draw.below(8) {
            0 => {
                self.word("all");
                plain("patients.all()".into(), K::Bool)
            }
            1 => {
                self.word("random_sample");
                plain("patients.random_sample(percent=100)".into(), K::Bool)
            }
            2 => {
                self.word("sex");
                plain("patients.sex()".into(), K::Str)
            }
            3 => {
                self.word("date_of_birth");
                let (format, length) = [("", 4), ("\"YYYY-MM\"", 7)][self.draw.below(2)];
                Call { numeric: length == 4, ..plain(format!("patients.date_of_birth({format})"), K::Date(length)) }
            }
            _ => {
                self.word("age_as_of");
                plain(format!("patients.age_as_of(\"{}\")", self.date()), K::Int)
            }
        }
    }

    fn place(&mut self) -> Call {
        match self.draw.below(8) {
            0 => {
                self.word("registered_as_of");
                plain(format!("patients.registered_as_of(\"{}\")", self.date()), K::Bool)
            }
            1 => {
                let function = self
                    .draw
                    .of(&["registered_with_one_practice_between", "with_complete_gp_consultation_history_between"]);
                self.word(function);
                plain(format!("patients.{function}(\"{}\", \"{}\")", self.date(), self.date()), K::Bool)
            }
            2 => {
                self.word("date_deregistered_from_all_supported_practices");
                let (period, (format, length)) = (self.period(), self.format());
                plain(
                    format!("patients.date_deregistered_from_all_supported_practices({period}{format})")
                        .replacen("(, ", "(", 1),
                    K::Date(length),
                )
            }
            3 | 4 => {
                let (returning, kind) = [
                    ("nuts1_region_name", K::Str),
                    ("stp_code", K::Str),
                    ("msoa", K::Str),
                    ("msoa_code", K::Str),
                    ("pseudo_id", K::Int),
                    ("rct__germdefence__enrolled", K::Bool),
                    ("rct__germdefence__trial_arm", K::Str),
                    ("rct__germdefence__imd_decile", K::Str),
                ][self.draw.below(8)];
                self.asked("registered_practice_as_of", returning);
                plain(
                    format!("patients.registered_practice_as_of(\"{}\", returning=\"{returning}\")", self.date()),
                    kind,
                )
            }
            5 => {
                let (returning, kind, more) = [
                    ("index_of_multiple_deprivation", K::Label, ", round_to_nearest=100"),
                    ("rural_urban_classification", K::Label, ""),
                    ("msoa", K::Str, ""),
                ][self.draw.below(3)];
                self.asked("address_as_of", returning);
                plain(format!("patients.address_as_of(\"{}\", returning=\"{returning}\"{more})", self.date()), kind)
            }
            6 => {
                self.word("care_home_status_as_of");
                let date = self.date();
                if self.draw.chance(40) {
                    return plain(format!("patients.care_home_status_as_of(\"{date}\")"), K::Bool);
                }
                let cases = "{\"n\": \"IsPotentialCareHome AND LocationRequiresNursing = 'y'\", \"o\": \"NOT (LocationDoesNotRequireNursing != 'Y')\", \"i\": \"IsPotentialCareHome > 3\", \"\": \"DEFAULT\"}";
                plain(format!("patients.care_home_status_as_of(\"{date}\", categorised_as={cases})"), K::Str)
            }
            _ => {
                let (returning, kind) = [
                    ("pseudo_id", K::Int),
                    ("household_size", K::Int),
                    ("is_prison", K::Bool),
                    ("has_members_in_other_ehr_systems", K::Bool),
                    ("percentage_of_members_with_data_in_this_backend", K::Int),
                    ("msoa", K::Str),
                ][self.draw.below(6)];
                self.asked("household_as_of", returning);
                plain(format!("patients.household_as_of(\"2020-02-01\", returning=\"{returning}\")"), kind)
            }
        }
    }

    fn value_from(&mut self) -> Call {
        let events: Vec<String> = self.known.iter().filter(|k| k.event).map(|k| k.name.clone()).collect();
        let dated: Vec<String> = self.known.iter().filter(|k| k.dated).map(|k| k.name.clone()).collect();
        let (function, kind) = [
            ("comparator_from", K::Str),
            ("reference_range_lower_bound_from", K::Float),
            ("reference_range_upper_bound_from", K::Float),
            ("date_of", K::Date(0)),
            ("date_of", K::Date(0)),
        ][self.draw.below(5)];
        let from = if function == "date_of" { dated } else { events };
        if from.is_empty() {
            return self.coded("with_these_clinical_events");
        }
        self.word(function);
        let source = &from[self.draw.below(from.len())];
        if function != "date_of" {
            return plain(format!("patients.{function}(\"{source}\")"), kind);
        }
        let (format, length) = self.format();
        plain(format!("patients.date_of(\"{source}\"{format})"), K::Date(length))
    }

    fn satisfying(&mut self) -> Call {
        self.word("satisfying");
        let nested = if self.draw.chance(40) { format!(", {}", self.line(false)) } else { String::new() };
        plain(format!("patients.satisfying(\"{}\"{nested})", self.truth(2)), K::Bool)
    }

    fn computed(&mut self) -> Call {
        self.word("categorised_as");
        let nested = if self.draw.chance(30) { format!(", {}", self.line(false)) } else { String::new() };
        let (keys, kind) = [
            (["\"a\"", "\"b\"", "\"\""], K::Str),
            (["3", "0", "-1"], K::Int),
            (["0.5", "2.0", "1e20"], K::Float),
            (["\"2021-03-01\"", "\"2020-02-29\"", "\"1999-12-31\""], K::Date(10)),
        ][self.draw.below(4)];
        let text = format!(
            "patients.categorised_as({{{}: \"{}\", {}: \"DEFAULT\", {}: \"{}\"}}{nested})",
            keys[0],
            self.truth(2),
            keys[1],
            keys[2],
            self.truth(1)
        );
        plain(text, kind)
    }

    fn aggregate(&mut self) -> Call {
        let kind = [K::Bool, K::Int, K::Float, K::Str, K::Date(10), K::Date(7), K::Date(4)][self.draw.below(7)];
        let of: Vec<String> = self.known.iter().filter(|k| k.kind == kind).map(|k| format!("\"{}\"", k.name)).collect();
        if of.is_empty() {
            return self.person();
        }
        let function = self.draw.of(&["minimum_of", "maximum_of"]);
        self.word(function);
        let mut names: Vec<String> = (0..=self.draw.below(3)).map(|_| of[self.draw.below(of.len())].clone()).collect();
        names.sort();
        names.dedup();
        if kind == K::Date(10) && self.draw.chance(40) {
            names.push("\"2020-06-15\"".into());
        }
        plain(format!("patients.{function}({})", names.join(", ")), kind)
    }

    fn file(&mut self) -> Call {
        if self.draw.chance(25) {
            self.word("which_exist_in_file");
            return plain("patients.which_exist_in_file(f_path=\"output/values.csv\")".into(), K::Bool);
        }
        self.word("with_value_from_file");
        let (column, word, kind) = [
            ("flag", "bool", K::Bool),
            ("n", "int", K::Int),
            ("share", "float", K::Float),
            ("word", "str", K::Str),
            ("day", "date", K::Date(10)),
        ][self.draw.below(5)];
        plain(
            format!(
                "patients.with_value_from_file(f_path=\"output/values.csv\", returning=\"{column}\", returning_type=\"{word}\")"
            ),
            kind,
        )
    }

    fn constant(&mut self) -> Call {
        self.word("fixed_value");
        let (value, kind) =
            [("7", K::Int), ("1.5", K::Float), ("\"x\"", K::Str), ("\"2020-02-29\"", K::Date(10))][self.draw.below(4)];
        plain(format!("patients.fixed_value({value})"), kind)
    }
}

fn plain(text: String, kind: K) -> Call {
    let numeric = kind == K::Date(4);
    Call { text, kind, numeric, dated: false, event: false, companion: None }
}
