"""What both scripts share: reading tables as text, rounding, writing with plain line ends."""
import argparse
import pathlib

import numpy as np
import pandas as pd


def read(path, numbers=()):
    """Read a csv file; every column stays text but for those named as numbers."""
    table = pd.read_csv(str(path), dtype=str, keep_default_na=False)
    for name in numbers:
        table[name] = pd.to_numeric(table[name])
    return table


def write(table, path, index=False):
    # Bytes, so that line ends do not depend on the machine or on pandas.
    path.write_bytes(table.to_csv(index=index).replace("\r\n", "\n").encode("utf-8"))
    print("{}: written".format(path))


def nearest(numbers, base):
    """Round to the nearest multiple of base; a tie goes to the even multiple."""
    return np.rint(np.asarray(numbers, dtype=float) / base) * base


def two_decimals(numbers):
    """Round to two decimals: x 100, nearest even whole number, / 100."""
    return np.rint(numbers * 100) / 100


def folder_argument(description):
    """Return the folder that the command line names; inputs and results are both in it."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("folder", type=pathlib.Path)
    return parser.parse_args().folder
