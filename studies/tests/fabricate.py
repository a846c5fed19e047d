"""Make up the files that extraction would write for a study definition, from a fixed seed.

    python fabricate.py cohort STUDY MODULE FORMAT PATIENTS TARGET [DATE...]
    python fabricate.py measures STUDY MODULE TARGET
    python fabricate.py describe STUDY MODULE

Runs as a program of its own, because two studies may have modules of the same name. Columns,
types and values follow the variables' expectations; the population is not applied.
"""
import calendar
import datetime
import importlib
import json
import pathlib
import re
import sys
import zlib

import numpy as np
import pandas as pd

HERE = pathlib.Path(__file__).resolve().parent

BY_RETURNING = {
    "binary_flag": "bool",
    "numeric_value": "float",
    "pseudo_id": "int",
    "household_size": "int",
    "percentage_of_members_with_data_in_this_backend": "int",
    "number_of_matches_in_period": "int",
    "number_of_episodes": "int",
    "total_bed_days_in_period": "int",
    "is_prison": "bool",
}
BY_FUNCTION = {
    "age_as_of": "int",
    "most_recent_bmi": "float",
    "mean_recorded_value": "float",
    "sex": "category",
    "categorised_as": "category",
    "comparator_from": "category",
    "care_home_status_as_of": "category",
    "date_of": "date",
    "date_of_birth": "date",
    "date_deregistered_from_all_supported_practices": "date",
}


def load(study, module):
    sys.path[:0] = [str(HERE / "stub"), str(study / "analysis")]
    return importlib.import_module(module)


def kind(fn, args):
    returning = args.get("returning")
    if fn == "care_home_status_as_of" and not args.get("categorised_as"):
        return "bool"
    if fn in BY_FUNCTION:
        return BY_FUNCTION[fn]
    if returning is None or returning in BY_RETURNING:
        return BY_RETURNING.get(returning, "bool")
    return "date" if "date" in returning else "category"


def add_months(day, months):
    month = day.year * 12 + day.month - 1 + months
    return datetime.date(month // 12, month % 12 + 1, day.day)


def resolve(text, index_date):
    """The day that a date expression without column names stands for."""
    found = re.fullmatch(
        r"(?:(\w+)\()?(index_date|today|\d{4}-\d\d-\d\d)\)?(?:([+-]\d+)(day|month|year)s?)?",
        text.replace(" ", ""),
    )
    if not found:
        raise ValueError("date expression not understood: " + text)
    function, name, offset, unit = found.groups()
    fixed = {"index_date": index_date, "today": "2022-01-01"}.get(name, name)
    day = datetime.date(*map(int, fixed.split("-")))
    if function == "first_day_of_month":
        day = day.replace(day=1)
    elif function == "last_day_of_month":
        day = day.replace(day=calendar.monthrange(day.year, day.month)[1])
    elif function:
        raise ValueError("date function not understood: " + text)
    if unit == "day":
        day += datetime.timedelta(days=int(offset))
    elif unit:
        day = add_months(day, int(offset) * (12 if unit == "year" else 1))
    return day


def columns_of(study):
    """Yield (name, kind, args, name of the column whose presence it shares)."""
    for name, (fn, args) in study.variables.items():
        if fn in ("minimum_of", "maximum_of"):
            yield name, fn, args, None
            continue
        yield name, kind(fn, args), args, args.get("source")
        if args.get("include_date_of_match"):
            yield name + "_date", "date", args, name
        if args.get("include_measurement_date"):
            yield name + "_date_measured", "date", args, name


def cohort(study, index_date, patients):
    """Return (table, {date column: its format}) for one index date."""
    seed = np.random.RandomState(1)
    table = {"patient_id": np.sort(seed.choice(10 * patients, patients, replace=False) + 1)}
    present, formats = {}, {}
    for name, what, args, shared in columns_of(study):
        random = np.random.RandomState(zlib.crc32((name + str(index_date)).encode()))
        if what in ("minimum_of", "maximum_of"):
            used = [name for name in args["names"] if name in table]
            parts = pd.DataFrame({part: table[part] for part in used})
            table[name] = getattr(parts, what[:3])(axis=1).values
            if used[0] in formats:
                formats[name] = formats[used[0]]
            continue
        expected = dict(study.default_expectations, **(args.get("return_expectations") or {}))
        incidence = 1 if expected.get("rate") == "universal" else expected.get("incidence", 1)
        if shared in present:
            there = present[shared]
        else:
            there = random.uniform(size=patients) < incidence
        present[name] = there
        if what == "bool":
            table[name] = there
        elif what in ("int", "float"):
            numbers = expected[what]
            if numbers["distribution"] == "population_ages":
                drawn = random.randint(0, 95, patients)
            elif numbers["distribution"] == "poisson":
                drawn = random.poisson(numbers["mean"], patients)
            else:
                drawn = random.normal(numbers["mean"], numbers["stddev"], patients)
            drawn = np.where(there, drawn, 0)
            table[name] = drawn.astype(int) if what == "int" else drawn.round(2)
        elif what == "category":
            ratios = expected["category"]["ratios"]
            assert abs(sum(ratios.values()) - 1) < 1e-5, name + ": ratios do not add up to 1"
            labels = np.array(list(ratios), dtype=object)
            drawn = labels[random.choice(len(labels), patients, p=list(ratios.values()))]
            table[name] = pd.Series(np.where(there, drawn, None)).astype("category")
        else:
            limits = [
                resolve(expected["date"].get(key, default), index_date)
                for key, default in (("earliest", "1900-01-01"), ("latest", "today"))
            ]
            days = random.randint(0, (limits[1] - limits[0]).days + 1, patients)
            drawn = pd.Series(pd.to_datetime(limits[0]) + pd.to_timedelta(days, unit="D"))
            table[name] = drawn.where(there)
            formats[name] = args.get("date_format") or "YYYY"
    return pd.DataFrame(table), formats


def write(table, formats, target):
    """Write a cohort in the format that the target's name says."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.suffix == ".feather":
        for name, form in formats.items():
            period = {"YYYY": "Y", "YYYY-MM": "M"}.get(form)
            if period:
                table[name] = table[name].dt.to_period(period).dt.to_timestamp()
        table.to_feather(str(target))
        return
    text = table.copy()
    for name, form in formats.items():
        cut = {"YYYY": "%Y", "YYYY-MM": "%Y-%m", "YYYY-MM-DD": "%Y-%m-%d"}[form]
        text[name] = text[name].dt.strftime(cut)
    for name in text.columns:
        if text[name].dtype == bool:
            text[name] = text[name].astype(int)
    text.to_csv(str(target), index=False)


def measures(module, target):
    """Write each measure over all monthly feather files, as generate_measures would."""
    suffix = module.__name__[len("study_definition") :]
    pattern = re.compile(r"input{}_(\d{{4}}-\d\d-\d\d)\.feather".format(suffix))
    for measure in module.measures:
        parts = []
        for path in sorted(target.iterdir()):
            found = pattern.fullmatch(path.name)
            if not found:
                continue
            sums = pd.read_feather(str(path)).groupby(measure.group_by)[
                [measure.numerator, measure.denominator]
            ].sum()
            sums["value"] = sums[measure.numerator] / sums[measure.denominator]
            parts.append(sums.reset_index().assign(date=found.group(1)))
        name = "measure_{}.csv".format(measure.id)
        pd.concat(parts, ignore_index=True).to_csv(str(target / name), index=False)


def names_in(fn, args):
    """The columns that a variable's expressions and dates refer to."""
    texts = [args["expression"]] if "expression" in args else []
    texts += list((args.get("category_definitions") or {}).values())
    names = set()
    for text in texts:
        words = re.findall(r"[A-Za-z_]\w*", re.sub(r"'[^']*'|\"[^\"]*\"", "", text))
        names.update(word for word in words if word not in ("AND", "OR", "NOT", "DEFAULT"))
    names.update(args.get("names", []))
    if args.get("source"):
        names.add(args["source"])
    dates = [args.get(key) for key in ("on_or_before", "on_or_after", "date", "reference_date")]
    for text in dates + list(args.get("between") or []):
        found = re.match(r"\s*(?:(?:first|last)_day_of_\w+\()?([A-Za-z_]\w*)", text or "")
        if found and found.group(1) not in ("index_date", "today"):
            names.add(found.group(1))
    return names


def describe(module):
    """What tests need to know of a study definition, as JSON."""
    study = module.study
    columns = [name for name, _, _, _ in columns_of(study)]
    known, hidden, unknown = set(), [], []
    later = list(study.variables.items()) + [("population", study.population)]
    for name, (fn, args) in later:
        for extra, (extra_fn, extra_args) in args.get("extra", {}).items():
            hidden.append(extra)
            unknown += sorted(names_in(extra_fn, extra_args) - known)
            known.add(extra)
        unknown += sorted(names_in(fn, args) - known)
        known.update([name, name + "_date"] if args.get("include_date_of_match") else [name])
    return {
        "index_date": study.index_date,
        "columns": columns,
        "hidden": hidden,
        "unknown": unknown,
        "measures": [
            {"id": m.id, "columns": [m.numerator, m.denominator] + m.group_by}
            for m in getattr(module, "measures", [])
        ],
    }


def main(what, study, name, *rest):
    study = pathlib.Path(study)
    module = load(study, name)
    if what == "describe":
        print(json.dumps(describe(module)))
    elif what == "measures":
        measures(module, pathlib.Path(rest[0]))
    else:
        form, patients, target = rest[:3]
        suffix = name[len("study_definition") :]
        for date in rest[3:] or [None]:
            table, formats = cohort(module.study, date or module.study.index_date, int(patients))
            dated = "_" + date if date else ""
            write(table, formats, pathlib.Path(target) / "input{}{}.{}".format(suffix, dated, form))


if __name__ == "__main__":
    main(*sys.argv[1:])
