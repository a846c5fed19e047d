"""The two helpers of the backend that analysis scripts borrow."""

import re

_SAFE = re.compile(r"[A-Za-z0-9_.\-]+")


def quote(value):
    """`value` as a literal of SQL; text only of letters, digits, `_`, `.` and `-`."""
    if isinstance(value, (int, float)):
        return str(value)
    text = str(value)
    if text and not _SAFE.fullmatch(text):
        raise ValueError("text with other characters than letters, digits, '_', '.' and '-': %r" % text)
    return "'" + text + "'"


def codelist_to_sql(codelist):
    """The codes of a list as literals of SQL, joined by commas."""
    if getattr(codelist, "has_categories", False):
        codelist = [code for code, _ in codelist]
    return ",".join(map(quote, codelist))
