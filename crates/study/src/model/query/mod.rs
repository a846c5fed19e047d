//! What one variable asks for: one case per function of the language, with arguments understood and options checked.
//! Spec study-definitions.md 7; deprecated arguments are translated before (2.5).

mod facts;

pub use facts::*;

use super::{Cases, Codes, DateExpr, Period, Scalar, VariableId};

/// Which of several rows is meant; first wins when both are asked for, last is the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Pick {
    /// The earliest.
    First,
    /// The latest.
    #[default]
    Last,
}

/// What is asked for rows that lie in a period.
#[derive(Debug, Clone, PartialEq)]
pub enum Query {
    /// `all`.
    AllPatients,
    /// `random_sample`: the same patients on every run and date.
    RandomSample {
        /// Above 0, at most 100.
        percent: f64,
    },
    /// `sex`.
    Sex,
    /// `age_as_of`.
    AgeAsOf(DateExpr),
    /// `date_of_birth`.
    DateOfBirth,
    /// `registered_as_of` and `registered_with_one_practice_between`: one registration covers both days.
    Registered {
        /// Start.
        start: DateExpr,
        /// End.
        end: DateExpr,
        /// `with_complete_gp_consultation_history_between`: the practice went live by the start.
        gone_live: bool,
    },
    /// `date_deregistered_from_all_supported_practices`.
    Deregistered(Period),
    /// `registered_practice_as_of`.
    Practice {
        /// As of.
        date: DateExpr,
        /// Which of its facts.
        returning: PracticeFact,
    },
    /// `address_as_of`.
    Address {
        /// As of.
        date: DateExpr,
        /// Which of its facts.
        returning: AddressFact,
    },
    /// `care_home_status_as_of`.
    CareHome {
        /// As of.
        date: DateExpr,
        /// Over the address' care home columns.
        cases: Cases,
    },
    /// `household_as_of` (the day is always 2020-02-01).
    Household(HouseholdFact),
    /// `with_these_clinical_events`.
    ClinicalEvents(CodedRows),
    /// `with_these_medications`.
    Medications(CodedRows),
    /// `most_recent_bmi`.
    MostRecentBmi {
        /// Of height, weight and BMI (no lower end for height).
        period: Period,
        /// In year numbers.
        minimum_age: i64,
    },
    /// `mean_recorded_value`, `min_recorded_value`, `max_recorded_value`.
    RecordedValue {
        /// Which.
        statistic: Statistic,
        /// Clinical codes.
        codes: Codes,
        /// Only of the latest day with a match.
        on_most_recent_day: bool,
        /// When.
        period: Period,
    },
    /// `date_of`, `comparator_from`, `reference_range_*_bound_from`, and `<name>_date` companions.
    ValueFrom {
        /// The variable that picks the row.
        source: VariableId,
        /// What of it.
        part: Part,
    },
    /// `with_gp_consultations`.
    GpConsultations {
        /// SeenDate.
        period: Period,
        /// For dates.
        pick: Pick,
        /// What.
        returning: RowFact,
    },
    /// `with_these_decision_support_values` (electronic frailty index).
    DecisionSupport {
        /// CalculationDateTime.
        period: Period,
        /// Which row.
        pick: Pick,
        /// Drop 0 and null values first.
        ignore_missing_values: bool,
        /// What.
        returning: DecisionSupportFact,
    },
    /// `with_healthcare_worker_flag_on_covid_vaccine_record`.
    HealthcareWorker,
    /// `with_tpp_vaccination_record`, `with_vaccination_record`.
    Vaccination {
        /// VaccinationContent is one of these; `None`: any.
        diseases: Option<Vec<String>>,
        /// VaccinationName of the reference is one of these; `None`: any.
        products: Option<Vec<String>>,
        /// When.
        period: Period,
        /// For dates.
        pick: Pick,
        /// Flag or date.
        returning: RowFact,
    },
    /// `died_from_any_cause`, `with_these_codes_on_death_certificate`.
    DeathCertificate {
        /// dod.
        period: Period,
        /// ICD-10 codes, matched exactly; `None`: any cause.
        codes: Option<CertificateCodes>,
        /// What.
        returning: DeathFact,
    },
    /// `with_death_recorded_in_cpns`: [`DeathFact::Flag`] or [`DeathFact::Date`].
    CpnsDeath {
        /// DateOfDeath.
        period: Period,
        /// What.
        returning: DeathFact,
    },
    /// `with_death_recorded_in_primary_care`: [`DeathFact::Flag`] or [`DeathFact::Date`].
    PrimaryCareDeath {
        /// Patient.DateOfDeath.
        period: Period,
        /// What.
        returning: DeathFact,
    },
    /// `admitted_to_hospital`.
    Admission(Admission),
    /// `attended_emergency_care`.
    EmergencyCare {
        /// Arrival_Date.
        period: Period,
        /// Which row.
        pick: Pick,
        /// Any of the 24 diagnoses is one of these, case ignored; `None`: any attendance with a diagnosis row.
        diagnoses: Option<Vec<String>>,
        /// Destination is one of these, case ignored.
        discharged_to: Option<Vec<String>>,
        /// What.
        returning: EmergencyFact,
    },
    /// `outpatient_appointment_date`.
    Outpatient {
        /// Appointment_Date.
        period: Period,
        /// Which row.
        pick: Pick,
        /// Attendance_Status is 5 or 6, if wished (`Some(true)`), or is not, if `Some(false)`.
        attended: Option<bool>,
        /// First_Attendance is 1 or 3.
        first: Option<bool>,
        /// Treatment_Function_Code is one of these.
        treatment_functions: Option<Vec<String>>,
        /// OPCS-4 codes anywhere in Primary_Procedure_Code.
        procedures: Option<Codes>,
        /// What.
        returning: OutpatientFact,
    },
    /// `admitted_to_icu`.
    Icu {
        /// The earlier of the two admission dates.
        period: Period,
        /// For dates.
        pick: Pick,
        /// What.
        returning: IcuFact,
    },
    /// `with_test_result_in_sgss`.
    Sgss {
        /// Which results.
        result: TestResult,
        /// First specimen of that result only, or all tests.
        earliest_only: bool,
        /// Specimen date.
        period: Period,
        /// Which row.
        pick: Pick,
        /// What.
        returning: SgssFact,
    },
    /// `with_ethnicity_from_sus`.
    EthnicityFromSus(SusEthnicity),
    /// `with_covid_therapeutics`.
    CovidTherapeutics {
        /// CurrentStatus after trim is one of these, case ignored.
        statuses: Option<Vec<String>>,
        /// Contained in Intervention, case ignored.
        therapeutics: Option<Vec<String>>,
        /// COVID_indication is one of these.
        indications: Option<Vec<String>>,
        /// TreatmentStartDate.
        period: Period,
        /// Which row.
        pick: Pick,
        /// What.
        returning: TherapeuticsFact,
    },
    /// `with_record_in_ukrr`.
    Ukrr {
        /// As in the column `dataset`: `2019prev`.
        dataset: &'static str,
        /// rrt_start.
        period: Period,
        /// What.
        returning: UkrrFact,
    },
    /// `with_high_cost_drugs`.
    HighCostDrugs {
        /// DrugName is one of these, case ignored.
        drugs: Option<Vec<String>>,
        /// First of the month.
        period: Period,
        /// For dates.
        pick: Pick,
        /// Flag or date.
        returning: RowFact,
    },
    /// `with_an_isaric_record`.
    Isaric {
        /// The column returned.
        column: String,
        /// A date column and the period it must lie in.
        filter: Option<(String, Period)>,
    },
    /// `categorised_as`, `satisfying`.
    Categorised(Cases),
    /// `minimum_of`, `maximum_of`.
    Aggregate {
        /// Which.
        which: Extreme,
        /// Earlier variables of one type.
        of: Vec<VariableId>,
    },
    /// `fixed_value`, and ISO dates among the names of an aggregate.
    Fixed(Scalar),
    /// `with_value_from_file`.
    ValueFromFile {
        /// Inside the workspace, csv or csv.gz.
        path: String,
        /// The column; the variable's type says how it is read.
        column: String,
    },
    /// `which_exist_in_file`.
    InFile {
        /// Inside the workspace, csv or csv.gz.
        path: String,
    },
}

impl Query {
    /// Whether it gives codes of clinical events, which are compared with their case (section 8).
    pub const fn is_clinical_code(&self) -> bool {
        matches!(self, Self::ClinicalEvents(CodedRows { returning: CodedFact::Code, .. }))
    }

    /// The period, for those that have one.
    pub const fn period(&self) -> Option<&Period> {
        match self {
            Self::Deregistered(period)
            | Self::MostRecentBmi { period, .. }
            | Self::RecordedValue { period, .. }
            | Self::GpConsultations { period, .. }
            | Self::DecisionSupport { period, .. }
            | Self::Vaccination { period, .. }
            | Self::DeathCertificate { period, .. }
            | Self::CpnsDeath { period, .. }
            | Self::PrimaryCareDeath { period, .. }
            | Self::EmergencyCare { period, .. }
            | Self::Outpatient { period, .. }
            | Self::Icu { period, .. }
            | Self::Sgss { period, .. }
            | Self::CovidTherapeutics { period, .. }
            | Self::Ukrr { period, .. }
            | Self::HighCostDrugs { period, .. }
            | Self::Isaric { filter: Some((_, period)), .. } => Some(period),
            Self::ClinicalEvents(rows) | Self::Medications(rows) => Some(&rows.period),
            Self::Admission(admission) => Some(&admission.period),
            _ => None,
        }
    }

    /// Dates that it asks for beside its period: reference dates, start and end.
    pub fn dates(&self) -> Vec<&DateExpr> {
        match self {
            Self::AgeAsOf(date)
            | Self::Practice { date, .. }
            | Self::Address { date, .. }
            | Self::CareHome { date, .. } => vec![date],
            Self::Registered { start, end, .. } => vec![start, end],
            _ => Vec::new(),
        }
    }
}
