"""List the five most used codes and the share of each; rarely used ones are put together."""
import pandas as pd

from files import folder_argument, nearest, read, two_decimals, write

HIDE_UP_TO = 100
SHOWN = 5


def put_rare_codes_together(counts):
    """Replace codes used 100 times or fewer by one row, Other, that stands for more than 100.

    While Other is too small, the least used of the remaining codes joins it; if even all of
    them are not enough, nothing is left.
    """
    ordered = counts.sort_values("num", ascending=False, kind="mergesort")
    rare = ordered["num"] <= HIDE_UP_TO
    other = ordered.loc[rare, "num"].sum()
    if other == 0:
        return ordered
    kept = ordered[~rare]
    while other <= HIDE_UP_TO and len(kept) > 0:
        smallest = kept["num"].idxmin()
        other += kept.loc[smallest, "num"]
        kept = kept.drop(index=smallest)
    if other > HIDE_UP_TO:
        kept = pd.concat(
            [kept, pd.DataFrame({"code": ["Other"], "num": [other]})], ignore_index=True
        )
    return kept


def top_codes(counts, terms):
    """Return code, description and share in percent of the most used codes."""
    table = put_rare_codes_together(counts.reset_index(drop=True))
    rounded = nearest(table["num"], 10)
    # Only codes that were never used: no share can be given.
    total = rounded.sum() or float("nan")
    names = dict(zip(terms["code"], terms["term"]), Other="-")
    return pd.DataFrame(
        {
            "Code": table["code"].values,
            "Description": [names.get(code, "") for code in table["code"]],
            "Proportion of codes (%)": two_decimals(rounded / total * 100),
        }
    ).head(SHOWN)


def main():
    folder = folder_argument(__doc__)
    counts = read(folder / "counts_per_code.csv", numbers=["num"])
    terms = read("codelist.csv")
    write(top_codes(counts, terms), folder / "top_5_code_table.csv")


if __name__ == "__main__":
    main()
