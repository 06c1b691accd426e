"""Starts one command and writes down what it took: `python -I -S launcher.py REPORT COMMAND ARGUMENT ...`.

A process of its own, and a small one, because Linux counts the memory of the process that starts a command
into the command's peak. What is read here is therefore off by no more than the few megabytes of this one.
Knows nothing of this program and imports next to nothing.
"""

import os
import sys
import time
from pathlib import Path


def _launched(command: list[str]) -> tuple[int, float, float, int]:
    """Exit status, seconds by the clock and of the processor, and the peak as the system counts it."""
    started = time.perf_counter()
    process = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(process, 0)
    wall = time.perf_counter() - started
    return os.waitstatus_to_exitcode(status), wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(" ".join(map(str, _launched(sys.argv[2:]))), encoding="utf-8")
