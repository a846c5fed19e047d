import shutil
import tempfile

from attempts import attempt
from filling import fill

folder = tempfile.mkdtemp()
attempt("120 MiB", fill, folder)
shutil.rmtree(folder)
