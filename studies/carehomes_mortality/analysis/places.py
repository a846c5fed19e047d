"""The places that dummy data is spread over: those of data/msoa_pop.csv, in equal shares."""
import csv

with open("data/msoa_pop.csv", newline="") as _stream:
    _codes = [row["msoa"] for row in csv.DictReader(_stream)]

msoa_ratios = {code: 1 / len(_codes) for code in _codes}
