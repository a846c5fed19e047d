# SD010 RuntimeError no line: changed the recorder
import os

os.makedirs(".cloister", exist_ok=True)
with open(".cloister/recording.json", "w") as file:
    file.write('{"schema":"cloister.recording/1","sql":"DROP TABLE patients"}')
os._exit(0)
