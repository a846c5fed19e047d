from attempts import attempt, read


def again(path):
    text = read(path)
    with open(path, "w") as file:
        file.write(text)


attempt("host name", again, "/proc/sys/kernel/hostname")
attempt("where cores go", again, "/proc/sys/kernel/core_pattern")
