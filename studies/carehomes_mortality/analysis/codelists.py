"""The codelists of this study, read from codelists/ (made up; see codelists.txt)."""
from cohortextractor import codelist_from_csv


def ctv3(slug):
    return codelist_from_csv(
        "codelists/cloister-demo-%s.csv" % slug, system="ctv3", column="CTV3ID"
    )


care_home_residence_codes = ctv3("care-home-residence")
covid_primary_care_codes = ctv3("covid-primary-care")
dementia_codes = ctv3("dementia")
chronic_respiratory_codes = ctv3("chronic-respiratory")
chronic_cardiac_codes = ctv3("chronic-cardiac")
diabetes_codes = ctv3("diabetes")
cancer_codes = ctv3("cancer")

covid_death_codes = codelist_from_csv(
    "codelists/cloister-demo-covid-death.csv", system="icd10", column="icd10_code"
)

ethnicity_codes = codelist_from_csv(
    "codelists/cloister-demo-ethnicity.csv",
    system="ctv3",
    column="Code",
    category_column="Grouping_6",
)
