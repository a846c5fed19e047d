"""Add ethnicity and region to every monthly cohort, in place."""
import pandas as pd

from utilities import OUTPUT, group_labels, monthly_files

ETHNIC_GROUPS = {
    "1": "White",
    "2": "Mixed",
    "3": "Asian",
    "4": "Black",
    "5": "Other",
}


def join(cohort, people):
    """Return the cohort with the columns ethnicity and region of `people`."""
    labels = pd.DataFrame(
        {
            "patient_id": people["patient_id"],
            "ethnicity": group_labels(people["ethnicity"]).map(ETHNIC_GROUPS),
            "region": group_labels(people["region"]),
        }
    )
    old = [name for name in ("ethnicity", "region") if name in cohort.columns]
    joined = cohort.drop(columns=old).merge(
        labels, on="patient_id", how="left", validate="one_to_one"
    )
    for name in ("ethnicity", "region"):
        joined[name] = joined[name].fillna("Missing").astype("category")
    return joined


def main():
    people = pd.read_feather(str(OUTPUT / "input_ethnicity.feather"))
    for date, path in monthly_files("input"):
        join(pd.read_feather(str(path)), people).to_feather(str(path))
        print("{}: ethnicity and region joined".format(date))


if __name__ == "__main__":
    main()
