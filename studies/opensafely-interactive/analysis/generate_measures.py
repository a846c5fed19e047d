"""Turn the codelist report into a measure per practice, and into counts that may be shown."""
import pandas as pd

from files import folder_argument, nearest, read, two_decimals, write

WEEKS_IN_A_YEAR = 52
HIDE_UP_TO = 100


def four_weekly(weekly):
    """Add up weeks to periods of four if there are more than a year's weeks.

    The weeks that would make an incomplete period are dropped at the beginning. A period
    carries the date of its first week.
    """
    dates = sorted(weekly["date"].unique())
    if len(dates) <= WEEKS_IN_A_YEAR:
        return weekly
    kept = dates[len(dates) % 4 :]
    first_week = {date: kept[position - position % 4] for position, date in enumerate(kept)}
    periods = weekly[weekly["date"].isin(first_week)]
    periods = periods.assign(date=periods["date"].map(first_week))
    return periods.groupby(["practice", "date"], as_index=False)["num"].sum()


def in_order(table):
    """Sort by date, then practice: by number if all practices are numbers, else as text."""
    practices = table["practice"]
    if practices.str.match(r"\d+$").all():
        # Numbers as text in the order of their size: shorter ones first, once unpadded.
        unpadded = practices.str.lstrip("0")
        table = table.assign(size=unpadded.str.len(), digits=unpadded)
    else:
        table = table.assign(size=0, digits=practices)
    table = table.sort_values(["date", "size", "digits", "practice"])
    return table.drop(columns=["size", "digits"])


def measure(counts, list_sizes):
    """Return practice, date, num, list_size and the events per 1,000 registered people."""
    table = counts.merge(list_sizes, on="practice", how="inner")
    table["value"] = two_decimals(table["num"] / table["list_size"] * 1000)
    return in_order(table)[["practice", "date", "num", "list_size", "value"]]


def practice_counts(list_sizes, table):
    """Return how many practices there are, and how many have an event, to the nearest 5."""
    counts = [list_sizes["practice"].nunique(), table["practice"].nunique()]
    return pd.DataFrame(
        {"count": nearest(counts, 5).astype(int)}, index=["total", "with_at_least_1_event"]
    )


def event_counts(table, unique_patients):
    """Return the numbers of events and patients, to the nearest 10, small ones blank."""
    latest = table[table["date"] == table["date"].max()]
    counts = pd.Series(
        {
            "total_events": table["num"].sum(),
            "events_in_latest_period": latest["num"].sum(),
            "unique_patients": unique_patients,
        },
        dtype=float,
    )
    hidden = counts <= HIDE_UP_TO
    shown = pd.Series(nearest(counts, 10), index=counts.index).mask(hidden)
    return pd.DataFrame({"count": shown if hidden.any() else shown.astype(int)})


def main():
    folder = folder_argument(__doc__)
    counts = read(folder / "counts_per_week_per_practice.csv", numbers=["num"])
    list_sizes = read(folder / "list_sizes.csv", numbers=["list_size"])
    patients = read(folder / "patient_count.csv", numbers=["num"])
    table = measure(four_weekly(counts), list_sizes)
    write(table, folder / "measure_counts_per_week_per_practice.csv")
    write(practice_counts(list_sizes, table), folder / "practice_count.csv", index=True)
    write(event_counts(table, patients["num"].sum()), folder / "event_counts.csv", index=True)


if __name__ == "__main__":
    main()
