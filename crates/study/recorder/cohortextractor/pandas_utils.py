"""Tables of pandas as files of patients, for scripts of studies that make them themselves.

pandas is imported when a file is written: the recorder needs none.
"""

import os

# By ending, longest first: the name pandas has for the format, and how it is packed.
_FORMATS = (
    (".csv.gz", "csv", "gzip"),
    (".dta.gz", "stata", "gzip"),
    (".csv", "csv", None),
    (".dta", "stata", None),
    (".feather", "feather", None),
)


def dataframe_to_file(df, filename):
    """Write a table in the format that the name ends in; its index is left out."""
    name = os.fspath(filename)
    for ending, form, packing in _FORMATS:
        if name.endswith(ending):
            break
    else:
        endings = ", ".join(sorted(ending for ending, _, _ in _FORMATS))
        raise RuntimeError("Unsupported file format: %s (one of %s is needed)" % (name, endings))
    if form == "csv":
        df.to_csv(name, index=False, compression=packing)
    elif form == "feather":
        df.reset_index(drop=True).to_feather(name)
    else:
        _to_stata(df, name, packing)


def _to_stata(df, name, packing):
    import gzip
    import io

    from pandas.api.types import is_datetime64_any_dtype

    # Stata has days, and texts in place of categories.
    days = {column: "td" for column in df.columns if is_datetime64_any_dtype(df[column])}
    kinds = {column: str(df[column].dtype) for column in df.columns}
    texts = [column for column, kind in kinds.items() if kind == "category"]
    df = df.assign(**{column: df[column].astype(object).fillna("") for column in texts})
    # Its places are filled in backwards, which a packed stream cannot do.
    whole = io.BytesIO()
    df.to_stata(whole, write_index=False, version=118, convert_dates=days)
    with gzip.open(name, "wb") if packing else open(name, "wb") as stream:
        stream.write(whole.getvalue())
