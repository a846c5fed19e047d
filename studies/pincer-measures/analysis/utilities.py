"""What the scripts of this study share: files, rounding, percentiles."""
import json
import pathlib
import re

import pandas as pd

OUTPUT = pathlib.Path("output")

# Counts up to this one are hidden, all others are rounded to the nearest ROUND_TO.
HIDE_UP_TO = 7
ROUND_TO = 5


def monthly_files(prefix, folder=OUTPUT):
    """Return [(date, path)] of the files named PREFIX_YYYY-MM-DD.feather, by date."""
    pattern = re.compile(re.escape(prefix) + r"_(\d{4}-\d{2}-\d{2})\.feather")
    found = []
    for path in folder.glob(prefix + "_*.feather"):
        match = pattern.fullmatch(path.name)
        if match:
            found.append((match.group(1), path))
    if not found:
        raise FileNotFoundError("no file {}_YYYY-MM-DD.feather in {}".format(prefix, folder))
    return sorted(found)


def read_month(inputs, numerators):
    """Read one month's cohort together with the two computed indicators, patient by patient."""
    cohort = pd.read_feather(str(inputs))
    computed = pd.read_feather(str(numerators))
    names = [name for name in computed.columns if name.startswith("indicator_")]
    return cohort.merge(
        computed[["patient_id"] + names], on="patient_id", how="left", validate="one_to_one"
    )


def read_months():
    """Yield (date, cohort with all indicators) for every month."""
    computed = dict(monthly_files("indicator_e_f"))
    for date, path in monthly_files("input"):
        yield date, read_month(path, computed[date])


def shown(count):
    """Return a count as it may be shown: None when hidden, else rounded."""
    count = int(count)
    if count <= HIDE_UP_TO:
        return None
    return (count + ROUND_TO // 2) // ROUND_TO * ROUND_TO


def shown_column(counts):
    """Return a column of counts as they may be shown; hidden ones are missing."""
    return counts.map(shown).astype(float)


def whole(column):
    """Return rounded counts as text without a decimal point, hidden ones blank."""
    return column.map(lambda value: "" if pd.isnull(value) else str(int(value)))


def rate_per_100(numerator, denominator):
    """Return 100 x numerator / denominator, missing where the denominator is 0 or missing."""
    return (100 * numerator / denominator.where(denominator > 0)).round(2)


def group_labels(column):
    """Return a column's groups as text; what is missing or unknown is one group, Missing."""
    text = column.astype(object).where(column.notnull(), "Missing").map(str)
    return text.replace({"": "Missing", "missing": "Missing", "0": "Missing"})


def read_measure(indicator, folder=OUTPUT):
    """Read one indicator's practice level measure: practice, numerator, denominator, date."""
    path = folder / "measure_indicator_{}_rate.csv".format(indicator)
    table = pd.read_csv(str(path), parse_dates=["date"])
    table = table.rename(
        columns={
            "indicator_{}_numerator".format(indicator): "numerator",
            "indicator_{}_denominator".format(indicator): "denominator",
        }
    )
    return table[["practice", "numerator", "denominator", "date"]]


def practice_rates(measure):
    """Return the rates per 100 patients at risk, practices without any of these left out."""
    at_risk = measure[measure["denominator"] > 0]
    return at_risk.assign(rate=100 * at_risk["numerator"] / at_risk["denominator"])


def percentiles(measure, levels):
    """Return a table of rates, one row per date and one column per percentile."""
    rates = practice_rates(measure).groupby("date")["rate"]
    return pd.DataFrame({level: rates.quantile(level / 100) for level in levels})


def write_csv(table, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    # Bytes, so that line ends do not depend on the machine or on pandas.
    path.write_bytes(table.to_csv(index=False).replace("\r\n", "\n").encode("utf-8"))
    print("{}: written".format(path))


def write_json(content, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
