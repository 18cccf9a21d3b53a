"""Measure the memory of this process while a function runs.

Linux reports the anonymous memory of the process, which is read a hundred times a second. Pages of
libraries are not counted, because the system loads and drops them.
"""

import json
import re
import subprocess
import sys
import threading
from pathlib import Path

_INTERVAL = 0.01


def peak_of(function):
    """Call the function and return its peak memory in megabytes, beyond the memory used before."""
    readings, done = [megabytes_in_use()], threading.Event()

    def watch():
        while not done.wait(_INTERVAL):
            readings.append(megabytes_in_use())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        function()
    finally:
        done.set()
        watcher.join()
    return max(readings) - readings[0]


def megabytes_in_use():
    """Return the anonymous memory of this process."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(re.search(r"RssAnon:\s+(\d+) kB", status)[1]) / 1024


def measure_apart(script, *arguments):
    """Run ``script --child *arguments`` in a new process and return the number it prints.

    Fitting in the same process would reuse memory from earlier fits.
    """
    command = [sys.executable, str(script), "--child", *map(str, arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return float(json.loads(done.stdout))
