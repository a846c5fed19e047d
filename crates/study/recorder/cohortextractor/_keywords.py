"""Where the keywords of a call stand in the source of the study, found by reading that source again."""

import re

from . import _place

_ONLY_AST = 0x400
_trees = {}


class Call:
    """A call as it is written."""

    def __init__(self, file, lines, node):
        self._file = file
        self._lines = lines
        self._node = node
        self._found = {}
        for keyword in node.keywords:
            if keyword.arg is not None:
                self._found[keyword.arg] = keyword

    def covers(self, node):
        ours = self._node
        return (ours.lineno, ours.col_offset) <= (node.lineno, node.col_offset) and (
            node.end_lineno,
            node.end_col_offset,
        ) <= (ours.end_lineno, ours.end_col_offset)

    def keyword(self, name):
        """The source of the keyword `name`, or None when it is not written in this call."""
        keyword = self._found.get(name)
        if keyword is None:
            return None
        line = getattr(keyword, "lineno", None)
        if line is None:
            line = self._line_before(name, keyword.value)
        span = None
        if _place.POSITIONS:
            column = keyword.col_offset
            span = (column, line, column + len(name.encode()))
        return _place.add_place(self._file, line, span)

    def _line_before(self, name, value):
        # Python 3.8 does not tell where a keyword stands: it is the last `name =` before its value.
        written = re.compile(r"(?<!\w)" + re.escape(name) + r"\s*=")
        for line in range(value.lineno, self._node.lineno - 1, -1):
            text = self._lines[line - 1]
            if line == value.lineno:
                text = text.encode()[: value.col_offset].decode("utf-8", "replace")
            if written.search(text):
                return line
        return value.lineno


def of_study(place):
    """The StudyDefinition(...) call at `place` of the sources."""
    if place is None:
        return None
    calls = _calls(place)
    if len(calls) > 1:
        calls = [call for call in calls if _name(call.func) == "StudyDefinition"] or calls
    return _made(place, calls)


def of_call(place, called, study_call):
    """The call of `patients.<called>` at `place`, if it is written inside the call of the study."""
    if study_call is None or called is None or place[0] != study_call._file:
        return None
    calls = [call for call in _calls(place) if study_call.covers(call)]
    if len(calls) > 1:
        calls = [call for call in calls if _name(call.func) == called] or calls
    return _made(place, calls)


def _made(place, calls):
    if not calls:
        return None
    return Call(place[0], _trees[place[0]][1], calls[0])


def _name(function):
    return getattr(function, "attr", None) or getattr(function, "id", None)


def _calls(place):
    """The calls that begin on the line of `place`, or the one at exactly its position if that is known."""
    file, line, column, end_line, end_column = place
    tree, _ = _tree(file)
    found = []
    pending = [tree] if tree is not None else []
    while pending:
        node = pending.pop()
        for field in node._fields:
            child = getattr(node, field, None)
            for one in child if isinstance(child, list) else (child,):
                if not hasattr(one, "_fields"):
                    continue
                start = getattr(one, "lineno", None)
                if start is not None and not start <= line <= one.end_lineno:
                    continue
                if type(one).__name__ == "Call" and start == line:
                    if column is None or (column, end_line, end_column) == (
                        one.col_offset,
                        one.end_lineno,
                        one.end_col_offset,
                    ):
                        found.append(one)
                pending.append(one)
    found.sort(key=lambda call: (call.col_offset, -call.end_lineno, -call.end_col_offset))
    return found


def _tree(file):
    if file not in _trees:
        try:
            with open(_place.root + file, encoding="utf-8-sig") as source:
                text = source.read()
            _trees[file] = compile(text, file, "exec", _ONLY_AST, True), text.splitlines()
        except (OSError, ValueError, SyntaxError, RecursionError, MemoryError):
            _trees[file] = None, []
    return _trees[file]
