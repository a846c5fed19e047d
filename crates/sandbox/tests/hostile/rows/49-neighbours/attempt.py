import threading


def busy():
    while True:
        pass


for _ in range(400):
    threading.Thread(target=busy, daemon=True).start()
print("ready", flush=True)
busy()
