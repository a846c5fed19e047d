import os

block = b"x" * (1 << 20)
print("ready", flush=True)
while True:
    with open("big", "wb") as file:
        for _ in range(200):
            file.write(block)
        os.fsync(file.fileno())
