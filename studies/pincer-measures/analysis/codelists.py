"""The codelists of this study, read from codelists/ (made up; see codelists.txt)."""
from cohortextractor import codelist_from_csv


def clinical(slug):
    return codelist_from_csv("codelists/cloister-demo-%s.csv" % slug, system="snomed", column="code")


# Medicines: dm+d codes, which carry SNOMED CT identifiers.
medicines = {
    name: clinical(name.replace("_", "-"))
    for name in (
        "nsaid",
        "gastroprotective",
        "aspirin",
        "antiplatelet",
        "anticoagulant",
        "beta_blocker",
        "ace_inhibitor",
        "loop_diuretic",
        "methotrexate",
        "lithium",
        "amiodarone",
        "asthma_inhaler",
    )
}

conditions = {
    name: clinical(name.replace("_", "-"))
    for name in (
        "asthma",
        "asthma_resolved",
        "heart_failure",
        "peptic_ulcer",
        "gi_bleed",
        "kidney_disease",
    )
}

tests = {
    name: clinical(name.replace("_", "-"))
    for name in (
        "full_blood_count",
        "liver_function_test",
        "thyroid_function_test",
        "urea_electrolytes",
        "lithium_level",
    )
}

egfr_codes = clinical("egfr")

ethnicity_codes = codelist_from_csv(
    "codelists/cloister-demo-ethnicity.csv",
    system="ctv3",
    column="Code",
    category_column="Grouping_6",
)
