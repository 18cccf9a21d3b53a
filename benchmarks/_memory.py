"""Memory of this process, watched while something runs.

What counts is memory that the process has asked for, as Linux tells it a hundred times a second:
pages of libraries come and go as the system likes.
"""

import json
import re
import subprocess
import sys
import threading
from pathlib import Path

_INTERVAL = 0.01


def peak_of(function):
    """Call the function and return the megabytes that came on top of what was there before."""
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
    """Return the memory of this process that is not a file's."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(re.search(r"RssAnon:\s+(\d+) kB", status)[1]) / 1024


def measure_apart(script, *arguments):
    """Run ``script --child *arguments`` in a process of its own, and return the number it prints.

    A fit in the same process would find memory that an earlier one has left.
    """
    command = [sys.executable, str(script), "--child", *map(str, arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return float(json.loads(done.stdout))
