//! Random tables: few values, so that they collide; a fifth of the cells NULL; days at the ends of months, years and time.

use super::draw::Draw;
use crate::support::tables::{Folder, Table};

const PATIENTS: usize = 8;
const DAYS: [&str; 16] = [
    "1900-01-01",
    "1990-06-15",
    "2015-03-01",
    "2019-12-31",
    "2020-02-28",
    "2020-02-29",
    "2020-12-31",
    "2021-01-01",
    "2021-01-31",
    "2021-02-28",
    "2021-03-01",
    "2021-03-01",
    "2021-03-31",
    "2021-04-01",
    "2021-04-15",
    "9999-12-31",
];
const TIMES: [&str; 6] = ["", "", "", "", "T12:00:00", "T23:59:59"];
const CTV3: [&str; 10] = ["Ab1..", "Ab1..", "Xab12", "XAB12", "ab1..", "22K..", "22A..", "X76C7", "229..", "XM01E"];
const NUMBERS: [&str; 8] = ["0", "1", "2.5", "-1", "70", "1.5", "25.25", "25.35"];

/// What a column draws from.
enum Cells {
    Day,
    Moment,
    Of(&'static [&'static str]),
}

type Column = (&'static str, Cells);

pub fn tables(draw: &mut Draw) -> Folder {
    let mut folder = Folder::new();
    patients(draw, &mut folder);
    events(draw, &mut folder);
    people(draw, &mut folder);
    hospital(draw, &mut folder);
    registries(draw, &mut folder);
    folder
}

fn cell(draw: &mut Draw, cells: &Cells) -> Option<String> {
    if draw.chance(20) {
        return None;
    }
    Some(match cells {
        Cells::Day => draw.of(&DAYS).to_owned(),
        // half of them on few moments, so that ties are met
        Cells::Moment if draw.chance(50) => draw.of(&["2021-02-28", "2021-03-01", "2021-01-31T12:00:00"]).to_owned(),
        Cells::Moment => format!("{}{}", draw.of(&DAYS), draw.of(&TIMES)),
        Cells::Of(all) => draw.of(all).to_owned(),
    })
}

/// Rows of patients: up to `most` each; `key` gets ids in no order, beginning with `from`.
fn rows(draw: &mut Draw, most: usize, key: Option<(&str, usize)>, columns: &[Column]) -> Table {
    let mut owners = Vec::new();
    for patient in 1..=PATIENTS {
        for _ in 0..draw.below(most + 1) {
            owners.push(patient);
        }
    }
    let ids = draw.shuffled(owners.len());
    let mut table = Table::default();
    table.columns.push("Patient_ID".into());
    table.columns.extend(key.map(|(name, _)| name.to_owned()));
    table.columns.extend(columns.iter().map(|(name, _)| (*name).to_owned()));
    for (owner, id) in owners.into_iter().zip(ids) {
        let mut row = vec![Some(owner.to_string())];
        row.extend(key.map(|(_, from)| Some((from + id).to_string())));
        row.extend(columns.iter().map(|(_, cells)| cell(draw, cells)));
        table.rows.push(row);
    }
    table
}

/// Rows that belong to rows of another table by its key: up to `most` each.
fn children(draw: &mut Draw, of: &Table, key: &str, most: usize, own: Option<&str>, columns: &[Column]) -> Table {
    let mut table = Table::default();
    table.columns.extend(["Patient_ID".to_owned(), key.to_owned()]);
    table.columns.extend(own.map(str::to_owned));
    table.columns.extend(columns.iter().map(|(name, _)| (*name).to_owned()));
    let mut pairs = Vec::new();
    for row in 0..of.rows.len() {
        for _ in 0..draw.below(most + 1) {
            pairs.push((of.cell(row, "Patient_ID").map(str::to_owned), of.cell(row, key).map(str::to_owned)));
        }
    }
    let ids = draw.shuffled(pairs.len());
    for ((patient, parent), id) in pairs.into_iter().zip(ids) {
        let mut row = vec![patient, parent];
        row.extend(own.map(|_| Some(id.to_string())));
        row.extend(columns.iter().map(|(_, cells)| cell(draw, cells)));
        table.rows.push(row);
    }
    table
}

/// Seldom two, where two rows of a patient may stop the run.
fn one_or_two(draw: &mut Draw) -> usize {
    if draw.chance(8) { 2 } else { 1 }
}

fn reference(draw: &mut Draw, key: (&str, &[&str]), columns: &[Column]) -> Table {
    let mut table = Table::default();
    table.columns.push(key.0.into());
    table.columns.extend(columns.iter().map(|(name, _)| (*name).to_owned()));
    for value in key.1 {
        let mut row = vec![Some((*value).to_owned())];
        row.extend(columns.iter().map(|(_, cells)| cell(draw, cells)));
        table.rows.push(row);
    }
    table
}

fn patients(draw: &mut Draw, folder: &mut Folder) {
    let mut table =
        Table { columns: ["Patient_ID", "DateOfBirth", "DateOfDeath", "Sex"].map(Into::into).into(), rows: vec![] };
    for patient in 1..=PATIENTS {
        let born = cell(draw, &Cells::Of(&["1950-01-01", "1980-03-01", "2000-02-29", "2004-12-01", "2030-01-01"]));
        let died = cell(draw, &Cells::Day);
        let sex = cell(draw, &Cells::Of(&["F", "M", "I", "", "f "]));
        table.rows.push(vec![Some(patient.to_string()), born, died, sex]);
    }
    folder.insert("Patient".into(), table);
}

fn events(draw: &mut Draw, folder: &mut Folder) {
    use Cells::{Day, Moment, Of};
    let ctv3 = rows(
        draw,
        6,
        Some(("CodedEvent_ID", 0)),
        &[("ConsultationDate", Moment), ("CTV3Code", Of(&CTV3)), ("NumericValue", Of(&NUMBERS))],
    );
    let snomed = rows(
        draw,
        3,
        Some(("CodedEvent_ID", 1000)),
        &[("ConsultationDate", Moment), ("ConceptId", Of(&["11", "22", "33"])), ("NumericValue", Of(&NUMBERS))],
    );
    let columns: [Column; 3] = [
        ("LowerBound", Of(&NUMBERS)),
        ("UpperBound", Of(&NUMBERS)),
        ("Comparator", Of(&["3", "4", "5", "6", "7", "8", "9"])),
    ];
    let mut ranges = children(draw, &ctv3, "CodedEvent_ID", 2, Some("CodedEventRange_ID"), &columns);
    let more = children(draw, &snomed, "CodedEvent_ID", 1, Some("CodedEventRange_ID"), &columns);
    let taken = ranges.rows.len();
    ranges.rows.extend(more.rows.into_iter().map(|mut row| {
        row[2] = row[2].as_ref().map(|id| (id.parse::<usize>().unwrap() + taken).to_string());
        row
    }));
    let issues = rows(
        draw,
        4,
        Some(("MedicationIssue_ID", 0)),
        &[("ConsultationDate", Moment), ("MultilexDrug_ID", Of(&["a", "b", "c", "d", "gone"]))],
    );
    let drugs = reference(
        draw,
        ("MultilexDrug_ID", &["a", "b", "c", "d"]),
        &[("DMD_ID", Of(&["100", "200", "300", "400", "aBc", ""]))],
    );
    let mapping = reference(draw, ("id", &["200", "300", "ABC"]), &[("prev_id", Of(&["100", "200", "400"]))]);
    let vaccines = rows(
        draw,
        3,
        Some(("Vaccination_ID", 0)),
        &[("VaccinationDate", Moment), ("VaccinationName_ID", Of(&["1", "2", "3"]))],
    );
    let known = reference(
        draw,
        ("VaccinationName_ID", &["1", "1", "2"]),
        &[("VaccinationName", Of(&["A", "b", "C"])), ("VaccinationContent", Of(&["FLU", "covid"]))],
    );
    let appointments = rows(draw, 3, None, &[("SeenDate", Moment), ("Status", Of(&["0", "1", "3", "4", "5", "16"]))]);
    let values = rows(
        draw,
        3,
        None,
        &[("AlgorithmType", Of(&["1", "1", "2"])), ("CalculationDateTime", Moment), ("NumericValue", Of(&NUMBERS))],
    );
    let workers = rows(draw, 2, None, &[("HealthCareWorker", Of(&["Y", "N"]))]);
    let deaths = rows(
        draw,
        2,
        None,
        &[
            ("dod", Day),
            ("icd10u", Of(&["I21", "U071", "u071"])),
            ("ICD10001", Of(&["I21", "U071"])),
            ("ICD10015", Of(&["I21", "J18"])),
            ("Place_of_occurrence", Of(&["Home", "Hospital"])),
        ],
    );
    for (name, table) in [
        ("CodedEvent", ctv3),
        ("CodedEvent_SNOMED", snomed),
        ("CodedEventRange", ranges),
        ("MedicationIssue", issues),
        ("MedicationDictionary", drugs),
        ("VmpMapping", mapping),
        ("Vaccination", vaccines),
        ("VaccinationReference", known),
        ("Appointment", appointments),
        ("DecisionSupportValue", values),
        ("HealthCareWorker", workers),
        ("ONS_Deaths", deaths),
    ] {
        folder.insert(name.into(), table);
    }
}

fn people(draw: &mut Draw, folder: &mut Folder) {
    use Cells::{Day, Of};
    let registrations = rows(
        draw,
        3,
        Some(("Registration_ID", 0)),
        &[
            ("Organisation_ID", Of(&["1", "2", "3", "4"])),
            ("StartDate", Of(&["2015-03-01", "2019-12-31T10:00:00", "2020-02-28", "2021-03-01", "2015-03-01"])),
            ("EndDate", Of(&["9999-12-31", "2021-03-01", "2021-04-15T01:00:00", "2020-02-28", "9999-12-31"])),
        ],
    );
    let practices = reference(
        draw,
        ("Organisation_ID", &["1", "2", "3"]),
        &[
            ("GoLiveDate", Day),
            ("Region", Of(&["London", "East"])),
            ("STPCode", Of(&["E1", "E2"])),
            ("MSOACode", Of(&["M1", ""])),
        ],
    );
    let trials = reference(draw, ("TrialNumber", &["5", "6"]), &[("TrialName", Of(&["germdefence"]))]);
    let arms = reference(
        draw,
        ("Organisation_ID", &["1", "2", "3"]),
        &[("TrialNumber", Of(&["5", "5", "6"])), ("TrialArm", Of(&["int", "con"]))],
    );
    let details = reference(
        draw,
        ("Organisation_ID", &["1", "1", "1", "1", "2", "2", "2", "3", "3", "3"]),
        &[
            ("TrialNumber", Of(&["5", "5", "6"])),
            ("Property", Of(&["IMD_decile", "imd_decile", "intcon"])),
            ("PropertyValue", Of(&["1", "2"])),
        ],
    );
    let addresses = rows(
        draw,
        5,
        Some(("PatientAddress_ID", 0)),
        &[
            ("StartDate", Of(&["2015-03-01", "2015-03-01", "2020-02-28T10:00:00"])),
            ("EndDate", Of(&["9999-12-31", "9999-12-31", "2021-03-01", "2021-04-15"])),
            ("RuralUrbanClassificationCode", Of(&["-1", "1", "8"])),
            ("ImdRankRounded", Of(&["-1", "0", "100", "32800"])),
            ("MSOACode", Of(&["NPC", "E1", "E2", ""])),
        ],
    );
    let homes = children(
        draw,
        &addresses,
        "PatientAddress_ID",
        1,
        None,
        &[("LocationRequiresNursing", Of(&["Y", "N"])), ("LocationDoesNotRequireNursing", Of(&["Y", "N"]))],
    );
    let houses = reference(
        draw,
        ("Household_ID", &["1", "2", "3"]),
        &[
            ("HouseholdSize", Of(&["1", "4"])),
            ("Prison", Of(&["true", "false"])),
            ("NFA_Unknown", Of(&["false", "false", "false", "true"])),
            ("MixedSoftwareHousehold", Of(&["true", "false"])),
            ("TppPercentage", Of(&["0", "75"])),
            ("MSOA", Of(&["E1", ""])),
        ],
    );
    let many = one_or_two(draw);
    let members = rows(draw, many, Some(("HouseholdMember_ID", 0)), &[("Household_ID", Of(&["1", "2", "3", "4"]))]);
    for (name, table) in [
        ("RegistrationHistory", registrations),
        ("Organisation", practices),
        ("ClusterRandomisedTrialReference", trials),
        ("ClusterRandomisedTrial", arms),
        ("ClusterRandomisedTrialDetail", details),
        ("PatientAddress", addresses),
        ("PotentialCareHomeAddress", homes),
        ("Household", houses),
        ("HouseholdMember", members),
    ] {
        folder.insert(name.into(), table);
    }
}

fn hospital(draw: &mut Draw, folder: &mut Folder) {
    use Cells::{Day, Moment, Of};
    const DIAGNOSES: &[&str] = &["||I21", "||i214 ,J18", "XI21", "I21", "||J18 ||I21", ""];
    let spells = rows(
        draw,
        4,
        Some(("APCS_Ident", 0)),
        &[
            ("Admission_Date", Day),
            ("Discharge_Date", Day),
            ("Admission_Method", Of(&["11", "21", "2a", "2A"])),
            ("Source_of_Admission", Of(&["19", "29"])),
            ("Discharge_Destination", Of(&["19", "29"])),
            ("Patient_Classification", Of(&["1", "2"])),
            ("Der_Admit_Treatment_Function_Code", Of(&["100", "300"])),
            ("Administrative_Category", Of(&["01", "02"])),
            ("Ethnic_Group", Of(&["A", "B", "Z", "99", "S1", ""])),
            ("Der_Diagnosis_All", Of(DIAGNOSES)),
            ("Der_Procedure_All", Of(&["||K40", "||k401,X1", "XK40"])),
            ("Der_Spell_LoS", Of(&["0", "1", "5"])),
            ("Duration_of_Elective_Wait", Of(&["0", "14"])),
        ],
    );
    let derived = children(
        draw,
        &spells,
        "APCS_Ident",
        1,
        None,
        &[
            ("Spell_Primary_Diagnosis", Of(&["I21", "i214", "XI21", "J18"])),
            ("Spell_PbR_CC_Day", Of(&["0", "1", "7", " 2 ", ""])),
        ],
    );
    let visits = rows(
        draw,
        3,
        Some(("EC_Ident", 0)),
        &[
            ("Arrival_Date", Day),
            ("Discharge_Destination_SNOMED_CT", Of(&["111", "aBc"])),
            ("Ethnic_Category", Of(&["A", "C", "R"])),
        ],
    );
    let found = children(
        draw,
        &visits,
        "EC_Ident",
        2,
        None,
        &[("EC_Diagnosis_01", Of(&["900", "901"])), ("EC_Diagnosis_24", Of(&["900", "AbC"]))],
    );
    let appointments = rows(
        draw,
        4,
        Some(("OPA_Ident", 0)),
        &[
            ("Appointment_Date", Day),
            ("Attendance_Status", Of(&["5", "6", "7"])),
            ("First_Attendance", Of(&["1", "2", "3"])),
            ("Treatment_Function_Code", Of(&["100", "300"])),
            ("Consultation_Medium_Used", Of(&["01", " 2 ", "12"])),
            ("Ethnic_Category", Of(&["B", "P9"])),
        ],
    );
    let done =
        children(draw, &appointments, "OPA_Ident", 2, None, &[("Primary_Procedure_Code", Of(&["||K40", "k40", "X1"]))]);
    let care = rows(
        draw,
        3,
        Some(("ICNARC_ID", 0)),
        &[
            ("IcuAdmissionDateTime", Moment),
            ("OriginalIcuAdmissionDate", Day),
            ("BasicDays_RespiratorySupport", Of(&["0", "1"])),
            ("AdvancedDays_RespiratorySupport", Of(&["0", "2"])),
        ],
    );
    for (name, table) in [
        ("APCS", spells),
        ("APCS_Der", derived),
        ("EC", visits),
        ("EC_Diagnosis", found),
        ("OPA", appointments),
        ("OPA_Proc", done),
        ("ICNARC", care),
    ] {
        folder.insert(name.into(), table);
    }
}

fn registries(draw: &mut Draw, folder: &mut Folder) {
    use Cells::{Day, Moment, Of};
    const COHORTS: &[&str] =
        &["Patients with a solid cancer and IMID", "odd", "renal disease", "", "Patients with imid"];
    let first_positive = rows(
        draw,
        2,
        None,
        &[
            ("Earliest_Specimen_Date", Day),
            ("Lab_Report_Date", Day),
            ("SGTF", Of(&["0", "1", "9", ""])),
            ("CaseCategory", Of(&["LFT_Only", "PCR_Only"])),
        ],
    );
    let first_negative = rows(draw, 1, None, &[("Earliest_Specimen_Date", Day), ("Lab_Report_Date", Day)]);
    let positive = rows(
        draw,
        3,
        None,
        &[
            ("Specimen_Date", Day),
            ("Lab_Report_Date", Day),
            ("Symptomatic", Of(&["Y", "N", "U"])),
            ("Variant", Of(&["none", "(blank)", "N/A", "VOC-20DEC-01 detected", "VOC-21APR-02"])),
            ("VariantDetectionMethod", Of(&["Reflex Assay", "Private Lab"])),
            ("SGTF", Of(&["0", "1"])),
        ],
    );
    let negative = rows(
        draw,
        2,
        None,
        &[("Specimen_Date", Day), ("Symptomatic", Of(&["true", "false"])), ("Pillar", Of(&["1", "2"]))],
    );
    let therapeutics = rows(
        draw,
        4,
        None,
        &[
            ("Intervention", Of(&["Sotrovimab", " Casirivimab and imdevimab ", "sotrovimab"])),
            ("COVID_indication", Of(&["hospital_onset", "non_hospitalised"])),
            ("CurrentStatus", Of(&["Approved", " approved ", "Stopped"])),
            ("TreatmentStartDate", Moment),
            ("Received", Of(&["2021-01-01", "2021-01-02"])),
            ("MOL1_high_risk_cohort", Of(COHORTS)),
            ("SOT02_risk_cohorts", Of(COHORTS)),
            ("CASIM05_risk_cohort", Of(COHORTS)),
            ("Region", Of(&["London", "East"])),
        ],
    );
    let renal = rows(
        draw,
        1,
        None,
        &[
            ("dataset", Of(&["2019prev", "2020ckd"])),
            ("renal_centre", Of(&["R1", "R2"])),
            ("rrt_start", Day),
            ("mod_start", Of(&["HD", "TX"])),
            ("mod_prev", Of(&["HD", "PD"])),
            ("creat", Of(&["99.9", "150"])),
            ("eGFR_ckdepi", Of(&["12", "42.5"])),
        ],
    );
    let costly = rows(
        draw,
        3,
        None,
        &[
            ("DrugName", Of(&["Adalimumab", "ADALIMUMAB", "other"])),
            ("FinancialYear", Of(&["202021", "201920", "202122"])),
            ("FinancialMonth", Of(&["1", "9", "10", "11", "12"])),
        ],
    );
    let isaric = rows(
        draw,
        1,
        None,
        &[
            ("age", Of(&["old", "NA", ""])),
            ("calc_age", Of(&["44", "NA"])),
            ("age_estimateyears", Of(&["44.5", ""])),
            ("hostdat", Of(&["01/03/2021", "29/02/2020", "NA"])),
            ("dsstdat", Of(&["01/03/2021", "15/04/2021", ""])),
        ],
    );
    let many = one_or_two(draw);
    let cpns = rows(draw, many, Some(("Id", 0)), &[("DateOfDeath", Day)]);
    for (name, table) in [
        ("SGSS_Positive", first_positive),
        ("SGSS_Negative", first_negative),
        ("SGSS_AllTests_Positive", positive),
        ("SGSS_AllTests_Negative", negative),
        ("Therapeutics", therapeutics),
        ("UKRR", renal),
        ("HighCostDrugs", costly),
        ("ISARIC_Patient_Data_TopLine", isaric),
        ("CPNS", cpns),
    ] {
        folder.insert(name.into(), table);
    }
}

/// A file of values, one row for some patients.
pub fn file(draw: &mut Draw) -> String {
    let mut table =
        Table { columns: ["patient_id", "flag", "n", "share", "word", "day"].map(Into::into).into(), rows: vec![] };
    for patient in 1..=PATIENTS + 2 {
        if draw.chance(70) {
            let flag = cell(draw, &Cells::Of(&["0", "1"]));
            let n = cell(draw, &Cells::Of(&["0", "7", "-3"]));
            let share = cell(draw, &Cells::Of(&["0.5", "2"]));
            let word = cell(draw, &Cells::Of(&["blue", "red"]));
            let day = cell(draw, &Cells::Day);
            table.rows.push(vec![Some(patient.to_string()), flag, n, share, word, day]);
        }
    }
    table.to_csv()
}
