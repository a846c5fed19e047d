"""Exceptions that studies and scripts may name, and how ours carry the code of their fault."""


class ValidationError(Exception):
    human_name = "Validation error"


class DummyDataValidationError(ValidationError):
    human_name = "Dummy data error"


class MissingParameterError(ValidationError):
    """A study reads `params[key]`, and no `--param key=value` was given."""

    human_name = "Missing parameter error"
    fault_code = "SD008"

    def __str__(self):
        key = self.args[0] if self.args else ""
        return "the study reads params[%r], which was not given: add --param %s=VALUE" % (key, key)


def fault(kind, code, message):
    """An exception of class `kind` that tells the recording its code."""
    exception = kind(message)
    exception.fault_code = code
    return exception


def nearest(name, names):
    """`; did you mean 'x'?` for the name that is spelled most alike, if any."""
    import difflib

    found = difflib.get_close_matches(name, names, 1)
    return "; did you mean %r?" % found[0] if found else ""
