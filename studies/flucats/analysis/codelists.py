"""The codelists of this study, read from codelists/ (made up; see codelists.txt)."""
from cohortextractor import codelist_from_csv


def snomed(slug, category_column=None):
    return codelist_from_csv(
        "codelists/cloister-demo-%s.csv" % slug,
        system="snomed",
        column="code",
        category_column=category_column,
    )


def lists(*names):
    return {name: snomed(name.replace("_", "-")) for name in names}


flucats_template_codes = snomed("flucats-template", category_column="category")

symptoms = lists(
    "severe_respiratory_distress",
    "respiratory_exhaustion",
    "dehydration_shock",
    "altered_consciousness",
    "causing_concern",
    "fever",
    "cough",
    "breathlessness",
    "suspected_covid",
    "probable_covid",
    "influenza_like_illness",
    "chest_xray",
    "covid_test",
)

measurements = lists(
    "oxygen_saturation", "blood_pressure", "temperature", "heart_rate", "respiratory_rate"
)

comorbidities = lists(
    "asthma",
    "copd",
    "heart_disease",
    "diabetes",
    "cancer",
    "kidney_disease",
    "liver_disease",
    "stroke",
    "dementia",
    "immunosuppression",
    "obesity",
    "learning_disability",
)

circumstances = lists("shielding", "care_home", "smoking", "pregnancy")

medicines = lists("antibacterials", "antivirals", "oral_steroids", "inhalers")

covid_icd10_codes = codelist_from_csv(
    "codelists/cloister-demo-covid-icd10.csv", system="icd10", column="icd10_code"
)

ethnicity_codes = codelist_from_csv(
    "codelists/cloister-demo-ethnicity.csv",
    system="ctv3",
    column="Code",
    category_column="Grouping_6",
)
