# SD003 ModuleNotFoundError line 3: image python:v1 has it
# the test's Python has no packages
import numpy
