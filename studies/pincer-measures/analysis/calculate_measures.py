"""Measures that the study definition cannot give: e and f per practice, all by demographics."""
import pandas as pd

from indicators import COMPUTED, DEMOGRAPHICS, INDICATORS, denominator, numerator
from utilities import (
    OUTPUT,
    group_labels,
    rate_per_100,
    read_months,
    shown_column,
    whole,
    write_csv,
)


def by_practice(cohort, indicator):
    """Return the sums per practice, in the form in which generate_measures writes them."""
    columns = [numerator(indicator), denominator(indicator)]
    sums = cohort.groupby("practice")[columns].sum().astype(int).reset_index()
    sums["value"] = sums[columns[0]] / sums[columns[1]].where(sums[columns[1]] > 0)
    return sums


def by_group(cohort, demographic, columns):
    """Return the sums of yes/no columns per group of one demographic."""
    sums = cohort[columns].astype(int).groupby(group_labels(cohort[demographic])).sum()
    sums.index.name = "group"
    return sums.reset_index()


def main():
    practices = {name: [] for name in COMPUTED}
    groups = {(name, demographic): [] for name in INDICATORS for demographic in DEMOGRAPHICS}
    people = {demographic: [] for demographic in DEMOGRAPHICS}
    columns = [part(name) for name in INDICATORS for part in (numerator, denominator)]
    for date, cohort in read_months():
        for name in COMPUTED:
            practices[name].append(by_practice(cohort, name).assign(date=date))
        cohort = cohort.assign(patients=1)
        for demographic in DEMOGRAPHICS:
            sums = by_group(cohort, demographic, columns + ["patients"]).assign(date=date)
            people[demographic].append(sums[["date", "group", "patients"]])
            for name in INDICATORS:
                part = sums[["date", "group", numerator(name), denominator(name)]]
                part.columns = ["date", "group", "numerator", "denominator"]
                groups[name, demographic].append(part)

    for name, parts in practices.items():
        table = pd.concat(parts, ignore_index=True)
        write_csv(table, OUTPUT / "measure_indicator_{}_rate.csv".format(name))
    for (name, demographic), parts in groups.items():
        table = pd.concat(parts, ignore_index=True)
        for column in ("numerator", "denominator"):
            table[column] = shown_column(table[column])
        table["rate_per_100"] = rate_per_100(table["numerator"], table["denominator"])
        for column in ("numerator", "denominator"):
            table[column] = whole(table[column])
        write_csv(table, OUTPUT / "indicator_measure_{}_{}.csv".format(name, demographic))
    for demographic, parts in people.items():
        table = pd.concat(parts, ignore_index=True)
        table["patients"] = shown_column(table["patients"])
        total = table.groupby("date")["patients"].transform("sum")
        table["percent"] = rate_per_100(table["patients"], total)
        table["patients"] = whole(table["patients"])
        write_csv(table, OUTPUT / "demographics_summary_{}.csv".format(demographic))


if __name__ == "__main__":
    main()
