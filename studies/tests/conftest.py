"""Fixtures of the tests of all studies."""
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import WITHOUT_R, Pipeline  # noqa: E402


@pytest.fixture(scope="session")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("studies")


@pytest.fixture(scope="session")
def pipeline(scratch):
    """Return a function that makes an empty pipeline of one study."""
    return lambda study: Pipeline(study, scratch)


def pytest_collection_modifyitems(items):
    if os.environ.get(WITHOUT_R) != "1":
        return
    for item in items:
        if item.get_closest_marker("needs_r"):
            item.add_marker(pytest.mark.skip(reason=WITHOUT_R + " is set"))


def pytest_configure(config):
    config.addinivalue_line("markers", "needs_r: runs Rscript")
