"""A test double of the study definition language: checks arguments, keeps what was written.

It knows only what the studies of this folder use, and computes nothing about patients. A
function that is missing here, or an argument that a function does not have, is an error.
"""
import csv

from . import patients  # noqa: F401


class Codelist(list):
    def __init__(self, items, system):
        super().__init__(items)
        self.system = system
        self.has_categories = bool(items) and isinstance(items[0], tuple)


def codelist(codes, system):
    assert codes, "a codelist needs a code"
    return Codelist(codes, system)


def codelist_from_csv(filename, system, column="code", category_column=None):
    with open(filename, newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    codes = [row[column].strip() for row in rows]
    if category_column:
        codes = list(zip(codes, (row[category_column].strip() for row in rows)))
    return Codelist(codes, system)


def combine_codelists(first, *others):
    assert all(other.system == first.system for other in others)
    return Codelist(list(dict.fromkeys(sum(others, first))), first.system)


def filter_codes_by_category(codes, include):
    kept = [pair for pair in codes if pair[1] in include]
    assert kept, "no code has one of these categories: {}".format(include)
    return Codelist(kept, codes.system)


class Measure:
    def __init__(self, id, denominator, numerator, group_by=None, small_number_suppression=False):
        self.id = id
        self.denominator = denominator
        self.numerator = numerator
        self.group_by = [group_by] if isinstance(group_by, str) else list(group_by or [])


class StudyDefinition:
    def __init__(self, population, default_expectations=None, index_date=None, **variables):
        self.population = population
        self.default_expectations = default_expectations or {}
        self.index_date = index_date
        self.variables = variables
