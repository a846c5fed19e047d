"""Imports one study module and writes down what it asks: schema cloister.recording/1.

The fence around this process keeps hostile code in; what is refused here is refused for the sake of a
message with a line.
"""

import os
import sys

from . import _place, _snapshot, params
from .exceptions import nearest
from .measure import Measure
from .study_definition import StudyDefinition

FOLDER = ".cloister"
FILE = "recording.json"
LONGEST_MESSAGE = 4000

PROGRAMS = "tried to start another process or program; a study definition is only read, on its own"
CONNECTIONS = "tried to reach a network; a study definition is read without one"
REFUSED = {
    "subprocess.Popen": PROGRAMS,
    "os.system": PROGRAMS,
    "os.exec": PROGRAMS,
    "os.fork": PROGRAMS,
    "os.forkpty": PROGRAMS,
    "os.posix_spawn": PROGRAMS,
    "os.spawn": PROGRAMS,
    "pty.spawn": PROGRAMS,
    "socket.connect": CONNECTIONS,
    "socket.sendto": CONNECTIONS,
    "socket.sendmsg": CONNECTIONS,
    "socket.getaddrinfo": CONNECTIONS,
    "socket.gethostbyname": CONNECTIONS,
    "socket.gethostbyaddr": CONNECTIONS,
    "socket.getnameinfo": CONNECTIONS,
}


class RefusedError(PermissionError):
    fault_code = "SD009"


class Files:
    """Which files of the repository are read, as they were when they were first opened."""

    def __init__(self):
        self.read = {}
        self._written = set()
        self._away = False

    def hook(self, event, args):
        if event == "open":
            if not self._away:
                self._away = True
                try:
                    self._note(*args)
                finally:
                    self._away = False
        elif event in REFUSED and not self._away:
            raise RefusedError("the study %s (%s)" % (REFUSED[event], event))

    def aside(self, work):
        """Does `work` without noting what it opens."""
        self._away = True
        try:
            return work()
        finally:
            self._away = False

    def _note(self, path, mode, flags):
        if isinstance(path, int) or path is None:
            return
        path = os.fsdecode(path)
        file = _place.relative(path)
        if file is None or file in self.read or file in self._written:
            return
        if isinstance(mode, str) and mode:
            writes = any(letter in mode for letter in "wax+")
        else:
            writes = bool((flags or 0) & (os.O_WRONLY | os.O_RDWR))
        if writes:
            self._written.add(file)
            return
        found = _hash_of(path)
        if found is not None:
            self.read[file] = found

    def listed(self):
        listed = []
        for file in sorted(self.read):
            sha256, size = self.read[file]
            kind = "code" if file.endswith(".py") else "data"
            listed.append({"path": _snapshot.plain(file), "sha256": sha256, "bytes": size, "kind": kind})
        return listed


def _hash_of(path):
    from stat import S_ISREG

    try:
        if not S_ISREG(os.stat(path).st_mode):
            return None
        sha256 = _snapshot.sha256()
        size = 0
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            while True:
                part = os.read(descriptor, 1 << 18)
                if not part:
                    return sha256.hexdigest(), size
                sha256.update(part)
                size += len(part)
        finally:
            os.close(descriptor)
    except (OSError, ValueError):
        return None


def record(root, module, given):
    """The recording of `module` in the repository `root`, as bytes."""
    _place.root = root.rstrip("/") + "/"
    _snapshot.recorded_file = "analysis/%s.py" % module
    params.update(given)
    files = Files()
    sys.path += [root, root + "/analysis"]
    sys.addaudithook(files.hook)
    _snapshot.aside = files.aside
    exception = study = measures = None
    try:
        made = __import__(module)
        study, measures = files.aside(lambda: _what_was_made(made))
    except BaseException as error:
        exception = files.aside(lambda: _exception(error))
    return files.aside(lambda: _written(module, given, files, study, measures, exception))


def _what_was_made(made):
    file = _place.relative(getattr(made, "__file__", None) or "")
    if file:
        _snapshot.recorded_file = file
    study = getattr(made, "study", None)
    study = study._recorded if isinstance(study, StudyDefinition) else None
    own = [_place.sources[one["src"]] for one in _snapshot.studies]
    lines = [str(place[1]) for place in own if place[0] == _snapshot.recorded_file]
    if len(lines) > 1:
        _snapshot.note_fault(
            "SD004",
            "ValueError",
            "%s makes %d studies (lines %s), and only one can be meant: keep one, named study, and give each other "
            "a file of its own" % (_snapshot.recorded_file, len(lines), ", ".join(lines)),
            _snapshot.studies[-1]["src"],
        )
    measures = getattr(made, "measures", None)
    return study, None if measures is None else _measures(measures)


def _measures(measures):
    recorded = []
    try:
        measures = list(measures)
    except TypeError:
        measures = [measures]
    for measure in measures:
        if not isinstance(measure, Measure):
            _snapshot.note_fault(
                "SD010", "TypeError", "`measures` holds a %s: write a list of Measure(...)" % type(measure).__name__, None
            )
            continue
        src = measure._src if measure._src is not None else _snapshot.nowhere()
        recorded.append(
            {
                "id": _column(measure.id, "id", measure, src),
                "numerator": _column(measure.numerator, "numerator", measure, src),
                "denominator": _column(measure.denominator, "denominator", measure, src),
                "group_by": [_column(name, "group_by", measure, src) for name in measure.group_by],
                "small_number_suppression": bool(measure.small_number_suppression),
                "src": src,
            }
        )
    return recorded


def _column(name, role, measure, src):
    if isinstance(name, str):
        return _snapshot.plain(name)
    _snapshot.note_fault(
        "SD701",
        "TypeError",
        "the %s of measure %r holds a %s: write the name of a column" % (role, measure.id, type(name).__name__),
        src,
    )
    return _snapshot.plain(str(name))


def _exception(error):
    frames = _place.of_traceback(error.__traceback__)
    try:
        import traceback

        # Without the lines of this package above the study.
        shown = error.__traceback__
        while shown is not None and _place.is_ours(shown.tb_frame.f_code.co_filename):
            shown = shown.tb_next
        traceback.print_exception(type(error), error, shown)
    except Exception:
        pass
    # What a library makes of a refusal is a refusal.
    inner = error
    for _ in range(20):
        if inner is None or isinstance(inner, RefusedError):
            break
        inner = inner.__cause__ or inner.__context__
    error = inner or error
    if isinstance(error, SyntaxError):
        message = error.msg or "syntax error"
        file = _place.relative(error.filename) if isinstance(error.filename, str) else None
        if file is not None:
            frames.append(_place.add_place(file, error.lineno or 1, None))
    elif isinstance(error, KeyError) and len(error.args) == 1 and isinstance(error.args[0], str):
        message = error.args[0]
    else:
        try:
            message = str(error)
        except Exception:
            message = ""
    if isinstance(error, TypeError):
        message = _with_suggestion(message)
    message = _snapshot.plain(message[:LONGEST_MESSAGE])
    kind = _snapshot.plain(type(error).__name__)
    code = getattr(error, "fault_code", None)
    if isinstance(code, str) and len(code) == 5 and code.startswith("SD"):
        _snapshot.note_fault(code, kind, message, frames[-1] if frames else None)
    return {"kind": kind, "message": message, "frames": frames}


def _with_suggestion(message):
    """Adds the parameter that was probably meant to `f() got an unexpected keyword argument 'x'`."""
    called, found, rest = message.partition("() got an unexpected keyword argument '")
    from . import patients

    function = patients._FUNCTIONS.get(called)
    if not found or function is None:
        return message
    code = function.__code__
    given = rest.partition("'")[0]
    return called + found + given + "'" + nearest(given, code.co_varnames[: code.co_argcount])


def _written(module, given, files, study, measures, exception):
    import json
    import time

    recording = {
        "schema": "cloister.recording/1",
        "recorder": {"version": _place.VERSION, "python": "%d.%d.%d" % sys.version_info[:3]},
        "module": module,
        "file": _snapshot.plain(_snapshot.recorded_file),
        "date": time.strftime("%Y-%m-%d"),
        "params": {"given": given, "read": [_snapshot.plain(key) for key in params.read]},
        "sources": _place.sources,
        "codelists": _snapshot.codelists,
        "study": study,
        "measures": measures,
        "files_read": files.listed(),
        "faults": _snapshot.faults,
        "exception": exception,
    }
    return json.dumps(recording, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8")


def limit(cpu_seconds, memory_bytes):
    """Limits of this process, before the study is imported, and no open file but the three; harder limits stay."""
    import resource

    for what, soft, hard in (
        (resource.RLIMIT_CPU, cpu_seconds, cpu_seconds + 5),
        (resource.RLIMIT_DATA, memory_bytes, memory_bytes),
        (resource.RLIMIT_AS, 4 * memory_bytes, 4 * memory_bytes),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        now = resource.getrlimit(what)
        if now[1] != resource.RLIM_INFINITY:
            soft, hard = min(soft, now[1]), min(hard, now[1])
        # A sandbox has set the limit of core dumps already, and lets nobody set it again.
        if what != resource.RLIMIT_CORE or now[0] not in (0, 1):
            resource.setrlimit(what, (soft, hard))
    os.closerange(3, 4096)


def write(root, recording):
    """Puts the recording where the fence takes it from."""
    folder = root + "/" + FOLDER
    os.makedirs(folder, exist_ok=True)
    path = folder + "/" + FILE
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(recording)
