# SD009 RefusedError line 4: tried to start another process or program
import subprocess

subprocess.run(["true"], check=True)
