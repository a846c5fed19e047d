# SD005 RuntimeError no line: put something else in the place of its recording
import os

os.makedirs(".cloister", exist_ok=True)
os.symlink("/etc/passwd", ".cloister/recording.json")
os._exit(0)
