"""Count, per month and family of indicators, the people with 1, 2, 3 or more hazards."""
import pandas as pd

from indicators import FAMILIES, denominator, family, numerator
from utilities import OUTPUT, rate_per_100, read_months, shown_column, whole, write_csv


def count_hazards(cohort, members):
    """Return a table hazards, numerator, denominator: one row per number of hazards."""
    at_risk = cohort[[denominator(name) for name in members]].any(axis=1)
    hazards = cohort[[numerator(name) for name in members]].astype(int).sum(axis=1)
    counts = hazards[at_risk].clip(upper=3)
    return pd.DataFrame(
        {
            "hazards": ["1", "2", "3 or more"],
            "numerator": [int((counts == number).sum()) for number in (1, 2, 3)],
            "denominator": int(at_risk.sum()),
        }
    )


def main():
    tables = {name: [] for name in FAMILIES}
    for date, cohort in read_months():
        for name in FAMILIES:
            tables[name].append(count_hazards(cohort, family(name)).assign(date=date))
    for name, parts in tables.items():
        table = pd.concat(parts, ignore_index=True)
        for column in ("numerator", "denominator"):
            table[column] = shown_column(table[column])
        table["rate_per_100"] = rate_per_100(table["numerator"], table["denominator"])
        for column in ("numerator", "denominator"):
            table[column] = whole(table[column])
        columns = ["date", "hazards", "numerator", "denominator", "rate_per_100"]
        write_csv(table[columns], OUTPUT / "{}_composite_measure.csv".format(name))


if __name__ == "__main__":
    main()
