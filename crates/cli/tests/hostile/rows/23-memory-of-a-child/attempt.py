import subprocess
import sys

EAT = "import time\nheld = []\nfor _ in range(50): held.append(b'x' * (8 << 20)); time.sleep(0.01)"
child = subprocess.run([sys.executable, "-c", EAT])
with open("output/a.csv", "w") as file:
    print("child", child.returncode, file=file)
