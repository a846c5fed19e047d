"""Values as they are now, in the form of the recording (schema cloister.recording/1)."""

import sys

from . import _keywords, _place
from .codelistlib import Codelist
from .exceptions import fault

NESTED_VARIABLES = 50
# A dict is three levels of JSON; the whole file may have 1,000.
NESTED_VALUES = 250

# The file of the module that is recorded: where calls belong that no line of the repository made.
recorded_file = None
faults = []
codelists = {}
studies = []


def plain(text):
    """`text` without halves of characters, which UTF-8 cannot hold."""
    return text.encode("utf-8", "replace").decode()


def note_fault(code, kind, message, src):
    faults.append({"code": code, "kind": kind, "message": message, "src": src})


def require_variable(name, value, above):
    """Raises unless `value` is what a function of `patients` returns, or a tuple of the same form."""
    if not (isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], dict)):
        if callable(value) and getattr(value, "__module__", None) == "cohortextractor.patients":
            help = "call the function: %s=patients.%s(...)" % (name, value.__name__)
        else:
            help = "write %s=patients.FUNCTION(...)" % name
        raise fault(TypeError, "SD005", "the variable %r is a %s: %s" % (name, type(value).__name__, help))
    if len(above) >= NESTED_VARIABLES:
        raise fault(ValueError, "SD007", "the variable %r has more than %d others around it" % (name, NESTED_VARIABLES))
    extra = value[1].get("extra_columns")
    if extra:
        if not isinstance(extra, dict):
            raise fault(TypeError, "SD005", "the nested variables of %r are no dictionary" % name)
        for nested, inner in extra.items():
            require_variable(nested, inner, above + (name,))


def study(population, default_expectations, index_date, variables):
    return aside(lambda: _study(population, default_expectations, index_date, variables))


def aside(work):
    """Does `work`; while a study is recorded, without noting what it opens."""
    return work()


def _study(population, default_expectations, index_date, variables):
    src, _ = _place.of_caller()
    place = _place.sources[src] if src is not None else None
    literal = _keywords.of_study(place)
    recorded = {
        "src": src if src is not None else nowhere(),
        "index_date": value(index_date, "index_date", src),
        "default_expectations": value(default_expectations, "default_expectations", src),
        "population": _variable("population", population, src, literal, literal),
        "variables": [_variable(name, variable, src, literal, literal) for name, variable in variables.items()],
    }
    studies.append(recorded)
    return recorded


def nowhere():
    return _place.add_place(recorded_file, 1, None)


def _variable(name, variable, study_src, study_call, call):
    fn, args = variable
    called = getattr(variable, "called", None)
    src = getattr(variable, "src", None)
    via = list(getattr(variable, "via", ()))
    if src is None:
        called, src, via = None, study_src if study_src is not None else nowhere(), []
    defaults = DEFAULTS.get(called or fn, {})
    written = {}
    extra = []
    own = None
    for key, argument in args.items():
        if key == "extra_columns":
            if argument:
                own = _keywords.of_call(_place.sources[src], called, study_call)
                extra = [
                    _variable(nested, inner, study_src, study_call, own) for nested, inner in argument.items()
                ]
            continue
        if key in defaults:
            default = defaults[key]
            if argument is default or (type(argument) is type(default) and argument == default):
                continue
        if not isinstance(key, str):
            key = str(key)
        written[_text(key, src)] = value(argument, name, src)
    return {
        "name": _text(name, src),
        "fn": _text(fn, src),
        "called": called,
        "args": written,
        "extra": extra,
        "src": src,
        "via": via,
        "name_src": None if call is None else call.keyword(name),
    }


# By function of `patients`: parameter to default; filled by that module.
DEFAULTS = {}


def value(given, name, src, depth=0):
    kind = type(given)
    if given is None or kind is bool:
        return given
    if kind is str:
        return _text(given, src)
    if kind is int:
        return _whole(given, name, src)
    if kind is float:
        return _number(given)
    if depth > NESTED_VALUES:
        raise fault(ValueError, "SD007", "an argument of %r is nested deeper than %d levels" % (name, NESTED_VALUES))
    if isinstance(given, Codelist):
        return {"$codelist": _codelist(given, name, src)}
    if isinstance(given, dict):
        return {
            "$map": [
                [value(key, name, src, depth + 1), value(inner, name, src, depth + 1)]
                for key, inner in given.items()
            ]
        }
    if isinstance(given, (list, tuple)):
        return [value(inner, name, src, depth + 1) for inner in given]
    if isinstance(given, str):
        return _text(str.__str__(given), src)
    datetime = sys.modules.get("datetime")
    if datetime is None:
        pass
    elif isinstance(given, datetime.datetime):
        # A day that is missing in pandas calls itself a datetime and has no time.
        if given == given and given.time() == datetime.time(0) and not getattr(given, "nanosecond", 0):
            return {"$date": given.date().isoformat()}
        return _unsupported(given, name, src)
    elif isinstance(given, datetime.date):
        return {"$date": given.isoformat()}
    if isinstance(given, bool):
        return bool(given)
    package = kind.__module__.partition(".")[0]
    if package in ("numpy", "pandas"):
        return _array(given, name, src, depth)
    if isinstance(given, int):
        return _whole(int(given), name, src)
    if isinstance(given, float):
        return _number(float(given))
    if hasattr(given, "__fspath__"):
        path = given.__fspath__()
        if isinstance(path, str):
            return _text(path, src)
    return _unsupported(given, name, src)


def _array(given, name, src, depth):
    """Scalars and arrays of numpy, Series and Index of pandas."""
    kind = getattr(getattr(given, "dtype", None), "kind", None)
    if kind == "M" and hasattr(given, "astype"):
        # Nanoseconds would come out as plain numbers.
        if type(given).__module__.partition(".")[0] == "numpy":
            given = given.astype("datetime64[us]")
    plain = given.tolist() if hasattr(given, "tolist") else given
    if type(plain) is type(given) and not isinstance(plain, (int, float)):
        return _unsupported(given, name, src)
    return value(plain, name, src, depth + 1)


def _text(text, src):
    try:
        text.encode()
    except UnicodeEncodeError:
        note_fault("SD010", "ValueError", "a text holds half of a character: %r" % text[:100], src)
        return plain(text)
    return text


def _whole(number, name, src):
    if -(1 << 63) <= number < 1 << 63:
        return number
    return _unsupported(number, name, src, "whole number of more than 64 bits")


def _number(number):
    if number != number:
        return {"$float": "nan"}
    if number in (float("inf"), float("-inf")):
        return {"$float": "inf" if number > 0 else "-inf"}
    return number


def _unsupported(given, name, src, words=None):
    kind = type(given)
    label = kind.__name__ if kind.__module__ == "builtins" else kind.__module__ + "." + kind.__name__
    message = "an argument of %r holds a %s, which a study cannot hold: give text, numbers, dates, lists or dictionaries"
    note_fault("SD010", "TypeError", message % (name, words or label), src)
    return {"$unsupported": _text(label, src)}


def sha256(data=b""):
    # hashlib loads all of OpenSSL, which takes as long as the rest of a recording.
    try:
        from _sha2 import sha256 as made
    except ImportError:
        try:
            from _sha256 import sha256 as made
        except ImportError:
            from hashlib import sha256 as made
    return made(data)


def _codelist(given, name, src):
    import json

    if given.has_categories:
        items = [
            [value(code, name, src), value(category, name, src)]
            for code, category in (item if isinstance(item, tuple) and len(item) == 2 else (item, None) for item in given)
        ]
    else:
        items = [value(code, name, src) for code in given]
    system = given.system if isinstance(given.system, str) else str(given.system)
    system = _text(system, src)
    categorised = bool(given.has_categories)
    text = json.dumps([system, categorised, items], ensure_ascii=False, separators=(",", ":"))
    digest = sha256(text.encode()).hexdigest()
    key = "c" + digest[:16]
    known = codelists.get(key)
    if known is None:
        known = codelists[key] = {
            "system": system,
            "categorised": categorised,
            "items": items,
            "sha256": digest,
            "origin": [],
        }
    for origin in given._origin:
        made = {
            "fn": origin["fn"],
            "file": _file(origin.get("file")),
            "column": _name(origin.get("column")),
            "category_column": _name(origin.get("category_column")),
            "src": origin["src"] if origin["src"] is not None else nowhere(),
        }
        if made not in known["origin"]:
            known["origin"].append(made)
    return key


def _file(file):
    if file is None:
        return None
    path = _place.relative(str(file))
    return None if path is None else _text(path, None)


def _name(name):
    return None if name is None else _text(str(name), None)
