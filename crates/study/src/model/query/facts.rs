//! What queries give, and the larger ones among them with their arguments: the values of `returning`, by function.
//! Spec study-definitions.md 7.

use super::Pick;
use crate::model::{Codes, Period};

/// Events or medications with a code of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct CodedRows {
    /// The list.
    pub codes: Codes,
    /// ConsultationDate.
    pub period: Period,
    /// Which row.
    pub pick: Pick,
    /// Rows with 0 or no number are dropped before anything else.
    pub ignore_missing_values: bool,
    /// Clinical codes whose days in the same period do not count.
    pub except_days_of: Option<Codes>,
    /// What.
    pub returning: CodedFact,
}

/// What a coded row gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of `returning`")]
pub enum CodedFact {
    BinaryFlag,
    Date,
    NumberOfMatches,
    /// A new episode begins when more than this many days lie between two rows.
    NumberOfEpisodes {
        days: u32,
    },
    Code,
    /// Categorised lists only.
    Category,
    /// Clinical events only.
    NumericValue,
}

/// What many functions give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of `returning`")]
pub enum RowFact {
    BinaryFlag,
    Date,
    NumberOfMatches,
}

/// What of the row that a source picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Part {
    Date,
    Comparator,
    LowerBound,
    UpperBound,
}

/// Of a registration's practice.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of `returning`")]
pub enum PracticeFact {
    Nuts1RegionName,
    StpCode,
    MsoaCode,
    PseudoId,
    /// `rct__<trial>__enrolled`.
    TrialEnrolled {
        trial: String,
    },
    /// `rct__<trial>__trial_arm`.
    TrialArm {
        trial: String,
    },
    /// `rct__<trial>__<property>`, in lower case.
    TrialProperty {
        trial: String,
        property: String,
    },
}

/// Of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of `returning`")]
pub enum AddressFact {
    IndexOfMultipleDeprivation,
    RuralUrbanClassification,
    Msoa,
}

/// Of a household.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of `returning`")]
pub enum HouseholdFact {
    PseudoId,
    HouseholdSize,
    IsPrison,
    HasMembersInOtherEhrSystems,
    PercentageOfMembersWithDataInThisBackend,
    Msoa,
}

/// Over numeric values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Statistic {
    Mean,
    Min,
    Max,
}

/// Of decision support values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of `returning`")]
pub enum DecisionSupportFact {
    BinaryFlag,
    Date,
    NumberOfMatches,
    NumericValue,
}

/// Codes of death certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateCodes {
    /// ICD-10.
    pub codes: Codes,
    /// Only the underlying cause.
    pub only_underlying: bool,
}

/// Of a death.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of `returning`")]
pub enum DeathFact {
    BinaryFlag,
    DateOfDeath,
    UnderlyingCause,
    Place,
}

/// `admitted_to_hospital`.
#[derive(Debug, Clone, PartialEq)]
pub struct Admission {
    /// Admission_Date.
    pub period: Period,
    /// Which row.
    pub pick: Pick,
    /// ICD-10 prefixes in Der_Diagnosis_All.
    pub diagnoses: Option<Codes>,
    /// ICD-10 prefixes of Spell_Primary_Diagnosis.
    pub primary_diagnoses: Option<Codes>,
    /// OPCS-4 prefixes in Der_Procedure_All.
    pub procedures: Option<Codes>,
    /// Columns that must equal one of the texts, case ignored.
    pub columns: Vec<(AdmissionColumn, Vec<String>)>,
    /// int(Spell_PbR_CC_Day) > 0.
    pub critical_care: bool,
    /// What.
    pub returning: AdmissionFact,
}

/// Columns of an admission that can be filtered by and returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of the arguments")]
pub enum AdmissionColumn {
    AdmissionMethod,
    SourceOfAdmission,
    DischargeDestination,
    PatientClassification,
    AdmissionTreatmentFunctionCode,
    AdministrativeCategory,
}

/// Of admissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of `returning`")]
pub enum AdmissionFact {
    BinaryFlag,
    DateAdmitted,
    DateDischarged,
    NumberOfMatches,
    PrimaryDiagnosis,
    Column(AdmissionColumn),
    DurationOfElectiveWait,
    DaysInCriticalCare,
    TotalBedDays,
    TotalCriticalCareDays,
}

/// Of emergency care.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of `returning`")]
pub enum EmergencyFact {
    BinaryFlag,
    DateArrived,
    NumberOfMatches,
    DischargeDestination,
}

/// Of outpatient appointments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of `returning`")]
pub enum OutpatientFact {
    BinaryFlag,
    Date,
    NumberOfMatches,
    ConsultationMediumUsed,
}

/// Of intensive care.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of `returning`")]
pub enum IcuFact {
    BinaryFlag,
    HadRespiratorySupport,
    HadBasicRespiratorySupport,
    HadAdvancedRespiratorySupport,
    DateAdmitted,
}

/// Which SGSS results count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum TestResult {
    Any,
    Positive,
    Negative,
}

/// Of SGSS tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of `returning`")]
pub enum SgssFact {
    BinaryFlag,
    Date,
    NumberOfMatches,
    SGeneTargetFailure,
    CaseCategory,
    Variant,
    VariantDetectionMethod,
    Symptomatic,
}

/// How ethnicity from SUS is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of `returning`")]
pub enum SusEthnicity {
    Code,
    Group6,
    Group16,
}

/// Of COVID therapeutics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of `returning`")]
pub enum TherapeuticsFact {
    BinaryFlag,
    Date,
    NumberOfMatches,
    NumberOfEpisodes { days: u32 },
    Therapeutic,
    RiskGroup,
    Region,
}

/// Of the UK renal registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of `returning`")]
pub enum UkrrFact {
    BinaryFlag,
    RenalCentre,
    TreatmentModalityStart,
    TreatmentModalityPrevalence,
    LatestCreatinine,
    LatestEgfr,
    RrtStartDate,
}

/// Least or greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Extreme {
    Minimum,
    Maximum,
}
