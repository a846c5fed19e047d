from attempts import HOST, attempt, read, targets

attempt("home of root", read, HOST + targets["files"]["home of root"])
