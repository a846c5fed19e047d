# SD003 ModuleNotFoundError line 3: has no pandas; the image python:v1 has it
# the test's Python has no packages
import pandas as pd
