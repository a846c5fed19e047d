from attempts import attempt

BLOCK = b"x" * (4 << 20)


def write():
    with open("big", "wb") as file:
        for _ in range(100):
            file.write(BLOCK)


def read():
    with open("big", "rb") as file:
        while file.read(4 << 20):
            pass


attempt("write 400 MiB", write)
attempt("read it again", read)
