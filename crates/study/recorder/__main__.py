"""python3 -B -X utf8 <this folder> MODULE PARAMS_JSON [LIMITS_JSON]: writes .cloister/recording.json."""

import os
import sys


def main():
    import json

    from cohortextractor import _recorder

    module, params = sys.argv[1], json.loads(sys.argv[2])
    limits = {"cpu_seconds": 120, "memory_bytes": 4 << 30}
    if len(sys.argv) > 3:
        limits.update(json.loads(sys.argv[3]))
    del sys.argv[1:]
    _recorder.limit(**limits)
    root = os.getcwd()
    process = os.getpid()
    recording = _recorder.record(root, module, params)
    # A copy of this process that a study made must not answer for it.
    if os.getpid() == process:
        _recorder.write(root, recording)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass
    # Whatever the study left to be done at the end is not waited for.
    os._exit(0)


main()
