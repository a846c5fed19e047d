from attempts import attempt
from filling import fill

attempt("120 MiB", fill, ".")
