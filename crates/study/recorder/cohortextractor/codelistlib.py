"""Lists of codes: in order and with repeats, in one system, with or without categories."""

from . import _place
from .exceptions import fault


class Codelist(list):
    system = None
    has_categories = False
    _origin = ()


def codelist(codes, system):
    """A list of codes, or of (code, category) pairs."""
    return _made(codes, system, ({"fn": "codelist", "src": _place.of_caller()[0]},))


def codelist_from_csv(filename, system, column="code", category_column=None):
    """The codes of one column of a file with a header, and their categories from another."""
    origin = {
        "fn": "codelist_from_csv",
        "file": filename,
        "column": column,
        "category_column": category_column,
        "src": _place.of_caller()[0],
    }
    codes = []
    rows = _rows(filename)
    for number, header in rows:
        break
    else:
        raise fault(KeyError, "SD404", "%s is empty: a header row with the column %r is needed" % (filename, column))
    places = {name: place for place, name in enumerate(header)}
    wanted = [column] if category_column is None else [column, category_column]
    for name in wanted:
        if name not in places:
            raise fault(
                KeyError,
                "SD404",
                "%s has no column %r; its columns are: %s" % (filename, name, ", ".join(map(repr, header))),
            )
    code_at = places[column]
    category_at = None if category_column is None else places[category_column]
    for number, row in rows:
        code = row[code_at].strip() if code_at < len(row) else ""
        if not code:
            continue
        if category_at is None:
            codes.append(code)
        elif category_at < len(row):
            codes.append((code, row[category_at].strip()))
        else:
            raise fault(
                ValueError,
                "SD404",
                "%s, line %d: the code %r has no cell in the column %r" % (filename, number, code, category_column),
            )
    return _made(codes, system, (origin,), filename)


def combine_codelists(first, *others):
    """The distinct codes of several lists of one system and kind, in order of first sight."""
    src = _place.of_caller()[0]
    for other in others:
        if first.system != other.system:
            raise fault(
                ValueError,
                "SD402",
                "lists of different systems cannot be combined: %r and %r" % (first.system, other.system),
            )
        if first.has_categories != other.has_categories:
            raise fault(ValueError, "SD404", "a list with categories cannot be combined with one without")
    origin = first._origin
    for other in others:
        origin += other._origin
    origin += ({"fn": "combine_codelists", "src": src},)
    items = dict.fromkeys(item for one in (first,) + others for item in one)
    return _made(items, first.system, origin)


def filter_codes_by_category(codes, include):
    """The pairs of a list with categories whose category is in `include`."""
    src = _place.of_caller()[0]
    if not codes.has_categories:
        raise fault(
            ValueError,
            "SD404",
            "the list has no categories: read it with codelist_from_csv(..., category_column=...)",
        )
    items = [(code, category) for code, category in codes if category in include]
    if not items:
        raise fault(
            ValueError,
            "SD404",
            "no code has a category in %s; the categories are: %s"
            % (
                ", ".join(map(repr, include)),
                ", ".join(map(repr, list(dict.fromkeys(category for _, category in codes))[:30])),
            ),
        )
    return _made(items, codes.system, codes._origin + ({"fn": "filter_codes_by_category", "src": src},))


def _made(codes, system, origin, filename=None):
    made = Codelist(codes)
    if not made:
        where = "" if filename is None else " in " + str(filename)
        raise fault(IndexError, "SD401", "a list without a code%s" % where)
    made.system = system
    made._origin = origin
    made.has_categories = isinstance(made[0], tuple)
    if made.has_categories:
        categories = {}
        clashing = []
        for item in made:
            if not isinstance(item, tuple) or len(item) != 2:
                raise fault(
                    ValueError,
                    "SD404",
                    "the first item is a (code, category) pair, so all must be; this is not one: %r" % (item,),
                )
            code, category = item
            if categories.setdefault(code, category) != category:
                clashing.append(code)
        if clashing:
            where = "" if filename is None else " of " + str(filename)
            shown = ", ".join(map(repr, list(dict.fromkeys(clashing))[:10]))
            raise fault(ValueError, "SD404", "codes%s with more than one category: %s" % (where, shown))
    return made


def _rows(filename):
    """The rows of a file that are not empty, with their line numbers."""
    import csv

    with open(filename, encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        try:
            for row in reader:
                if row:
                    yield reader.line_num, row
        except csv.Error as error:
            raise fault(
                ValueError, "SD404", "%s, line %d cannot be read as csv: %s" % (filename, reader.line_num, error)
            ) from None
        except UnicodeDecodeError as error:
            raise fault(
                ValueError,
                "SD404",
                "%s is not UTF-8 text (byte 0x%02x after line %d): save it as UTF-8"
                % (filename, error.object[error.start], reader.line_num),
            ) from None
