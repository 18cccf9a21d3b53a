"""Time of `import skimgcls`, beyond the start-up time of the interpreter."""

import subprocess
import sys
import time
from statistics import median

from _report import Row, show

AT_MOST = 0.15


def seconds_of(statement):
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - start


def main():
    seconds_of("import skimgcls")
    pairs = [(seconds_of("import skimgcls"), seconds_of("pass")) for _ in range(11)]
    cost = 1000 * median(ours - bare for ours, bare in pairs)
    whole = median(ours for ours, _ in pairs)
    loaded = subprocess.run(
        [sys.executable, "-c", "import skimgcls, sys; print('torch' in sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    figure = f"{cost:.1f} ms (whole process {1000 * whole:.0f} ms), torch loaded: {loaded}"
    kept = whole <= AT_MOST and loaded == "False"
    show([Row("`import skimgcls`, without torch", f"at most {AT_MOST} s", figure, kept)])


if __name__ == "__main__":
    main()
