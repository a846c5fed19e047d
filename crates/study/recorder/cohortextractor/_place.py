"""Where in the repository something was called: only while a study is recorded."""

import sys

VERSION = "1.0.0"

OUTER_LINES = 5
HERE = __file__.rpartition("/")[0] + "/"
POSITIONS = sys.version_info >= (3, 11)
# Before Python 3.12 these have frames of their own; after, they have none.
COMPREHENSIONS = ("<listcomp>", "<dictcomp>", "<setcomp>")

# The folder of the repository, with a slash at the end; None in a plain library.
root = None
sources = []
_known = {}
_files = {}
_positions = {}


def of_caller():
    """The innermost line of the repository that called, and up to five outer ones."""
    if root is None:
        return None, ()
    found = []
    inner = False
    frame = sys._getframe(1)
    while frame is not None and len(found) <= OUTER_LINES:
        code = frame.f_code
        file = _file(code)
        if file is not None:
            # The line that holds a comprehension is not an outer line of it.
            if not inner:
                found.append(add(file, code, frame.f_lasti, frame.f_lineno))
            inner = code.co_name in COMPREHENSIONS
            if code.co_name == "<module>":
                break
        frame = frame.f_back
    return (found[0] if found else None), found[1:]


def of_traceback(traceback):
    """The lines of the repository, innermost last."""
    found = []
    inner = False
    while traceback is not None:
        code = traceback.tb_frame.f_code
        file = _file(code)
        if file is not None:
            if code.co_name in COMPREHENSIONS and found:
                found.pop()
            found.append(add(file, code, traceback.tb_lasti, traceback.tb_lineno))
        traceback = traceback.tb_next
    return found


def add(file, code, instruction, line):
    span = None
    if POSITIONS:
        positions = _positions.get(code)
        if positions is None:
            positions = _positions[code] = list(code.co_positions())
        place = instruction // 2
        if 0 <= place < len(positions):
            _, end_line, column, end_column = positions[place]
            if None not in (end_line, column, end_column):
                span = (column, end_line, end_column)
    return add_place(file, line, span)


def add_place(file, line, span):
    """The index of a place among the sources."""
    key = (file, line, span)
    index = _known.get(key)
    if index is None:
        index = _known[key] = len(sources)
        sources.append([file, line] + list(span or (None, None, None)))
    return index


def relative(path):
    """`path` from the root of the repository, or None if it lies elsewhere."""
    if not path.startswith("/"):
        path = root + path
    if "/../" in path or "/./" in path or "//" in path:
        import os.path

        path = os.path.normpath(path)
    if path.startswith(root) and not path.startswith(HERE):
        return path[len(root) :]
    return None


def is_ours(file):
    return file.startswith(HERE) or file.startswith("<frozen importlib")


def _file(code):
    name = code.co_filename
    try:
        return _files[name]
    except KeyError:
        file = None if name.startswith("<") else relative(name)
        _files[name] = file
        return file
