import time

held = []
for _ in range(50):
    held.append(b"x" * (8 << 20))
    time.sleep(0.01)
open("output/a.csv", "w").close()
