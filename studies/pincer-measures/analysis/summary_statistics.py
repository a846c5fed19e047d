"""Summarise each indicator: people, practices, and how the median practice has changed."""
from indicators import INDICATORS, denominator, numerator
from utilities import OUTPUT, percentiles, read_measure, read_months, shown, write_json


def ever(flags):
    """Return {column: ids of the patients for whom it was ever true} over all months."""
    seen = {column: set() for column in flags}
    for _, cohort in read_months():
        for column, ids in seen.items():
            ids.update(cohort.loc[cohort[column].astype(bool), "patient_id"])
    return seen


def practice_counts(measure):
    """Return how many practices there are, and how many ever had a patient with the hazard."""
    events = measure.groupby("practice")["numerator"].sum()
    return {
        "practices": shown(len(events)),
        "practices_with_a_hazard": shown((events > 0).sum()),
    }


def statistics(measure):
    """Return quartiles of the practices' rates per 100 in the first and the last month."""
    quartiles = percentiles(measure, [25, 50, 75]).sort_index()
    result = {}
    for name, position in (("first", 0), ("last", -1)):
        if quartiles.empty:
            result[name] = None
            continue
        row = quartiles.iloc[position]
        result[name] = {
            "month": quartiles.index[position].strftime("%Y-%m-%d"),
            "lower_quartile": round(float(row[25]), 1),
            "median": round(float(row[50]), 1),
            "upper_quartile": round(float(row[75]), 1),
        }
    if result["first"] and result["last"]:
        result["change_of_median"] = round(
            result["last"]["median"] - result["first"]["median"], 1
        )
    return result


def main():
    flags = [part(name) for name in INDICATORS for part in (numerator, denominator)]
    patients = ever(flags)
    for name, (_, title) in INDICATORS.items():
        measure = read_measure(name)
        write_json(
            {
                "indicator": name,
                "patients_ever_at_risk": shown(len(patients[denominator(name)])),
                "patients_ever_with_the_hazard": shown(len(patients[numerator(name)])),
            },
            OUTPUT / "patient_count_{}.json".format(name),
        )
        write_json(
            dict(indicator=name, **practice_counts(measure)),
            OUTPUT / "practice_count_{}.json".format(name),
        )
        write_json(
            dict(
                indicator=name,
                title=title,
                hazards=shown(measure["numerator"].sum()),
                **statistics(measure)
            ),
            OUTPUT / "indicator_summary_statistics_{}.json".format(name),
        )
        print("indicator {}: summarised".format(name))


if __name__ == "__main__":
    main()
