from attempts import attempt, read

# As the program was given it; the interpreter adds some of its own to what it shows.
given = dict(word.split("=", 1) for word in read("/proc/self/environ").split("\0") if "=" in word)
attempt("variable of the caller", lambda: given.get("SECRET_OF_THE_CALLER", "absent"))
attempt("names besides what was given", lambda: "some" if set(given) - {"HOME", "PATH"} else "none")
attempt("values", lambda: given["HOME"])
