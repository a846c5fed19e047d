"""Work out indicators e and f, for which two prescriptions must be close in time.

Two medicines count as taken together if some issue of one lies within 28 days of some issue
of the other. Gastroprotection counts if it was issued within 28 days of the later of the two.
"""
import pandas as pd

from indicators import denominator, numerator
from utilities import OUTPUT, monthly_files

DAYS = pd.Timedelta(days=28)

# indicator: (taken by everybody at risk, taken with it)
PAIRS = {
    "e": ("anticoagulant", ("aspirin", "antiplatelet")),
    "f": ("aspirin", ("antiplatelet",)),
}


def issue_dates(cohort, medicine):
    return [
        pd.to_datetime(cohort["{}_{}".format(medicine, which)]) for which in ("first", "last")
    ]


def later_issue_of_close_pair(cohort, one, other):
    """Return the latest date on which both are in use; missing if they are never close."""
    latest = pd.Series(pd.NaT, index=cohort.index, dtype="datetime64[ns]")
    for a in issue_dates(cohort, one):
        for b in issue_dates(cohort, other):
            close = (a - b).abs() <= DAYS
            later = a.where(a >= b, b).where(close)
            latest = latest.where(later.isnull() | (latest >= later), later)
    return latest


def is_protected(cohort, date):
    """Whether gastroprotection was issued within 28 days of each patient's date."""
    protected = pd.Series(False, index=cohort.index)
    for issued in issue_dates(cohort, "gastroprotective"):
        protected |= (issued - date).abs() <= DAYS
    return protected


def numerators(cohort):
    """Return patient_id, practice and both indicators for one month's cohort."""
    result = cohort[["patient_id", "practice"]].copy()
    for indicator, (base, others) in PAIRS.items():
        at_risk = cohort[base].astype(bool)
        hazard = pd.Series(False, index=cohort.index)
        for other in others:
            together = later_issue_of_close_pair(cohort, base, other)
            hazard |= together.notnull() & ~is_protected(cohort, together)
        result[denominator(indicator)] = at_risk
        result[numerator(indicator)] = at_risk & hazard
    return result


def main():
    for date, path in monthly_files("input"):
        target = OUTPUT / "indicator_e_f_{}.feather".format(date)
        numerators(pd.read_feather(str(path))).to_feather(str(target))
        print("{}: written".format(target))


if __name__ == "__main__":
    main()
