"""What a study may count on in a python or jupyter runtime. Fails at the first thing that is not so."""

import importlib
import io
import pathlib
import sys

for name in (
    "numpy", "pandas", "scipy", "statsmodels.api", "sklearn", "matplotlib", "seaborn", "lifelines", "numba", "pyarrow",
    "jinja2", "PIL", "yaml", "requests", "tabulate", "pytest", "nbconvert", "nbformat", "ipykernel", "cohortextractor",
):
    module = importlib.import_module(name)
    print(name, getattr(module, "__version__", "-"))

import numpy
import pandas

frame = pandas.DataFrame({"sex": ["F", "M", "F"], "age": [31, 47, 64]})
assert frame.groupby("sex")["age"].mean().to_dict() == {"F": 47.5, "M": 47.0}
buffer = io.BytesIO()
frame.to_feather(buffer)
buffer.seek(0)
assert pandas.read_feather(buffer).equals(frame)
frame.to_csv("frame.csv.gz", index=False)
assert pandas.read_csv("frame.csv.gz").equals(frame)

import matplotlib.pyplot as pyplot

figure, axes = pyplot.subplots()
axes.plot(numpy.arange(10))
figure.savefig("plot.png")
assert pathlib.Path("plot.png").stat().st_size > 1000

import numba


@numba.njit(cache=True)
def total(values):
    result = 0
    for value in values:
        result += value
    return result


assert total(numpy.arange(10)) == 45

for folder in (sys.prefix, sys.base_prefix):
    try:
        pathlib.Path(folder, "written").write_text("x")
    except OSError:
        continue
    raise SystemExit(f"{folder} can be written")
print("all of it works on", sys.version.split()[0])
