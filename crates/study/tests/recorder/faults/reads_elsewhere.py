# SD005 line 5: the study's Python raised
import os

here = os.getcwd()
open("/root/.profile")
