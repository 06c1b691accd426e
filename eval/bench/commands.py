"""Runs a command as a user would, and says what it took.

Comes out: time on the clock, the processor's time and the peak of memory of that one command, its children's
included where it waited for them. Needs Unix: Windows does not tell.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.bench.figures import Lap
from eval.errors import EvalError

_KIB_OF_MAXRSS = 1 if sys.platform.startswith("linux") else 1024  # macOS tells bytes


class BenchError(EvalError):
    """Something that was to be measured failed."""


@dataclass(frozen=True)
class Ran:
    """A command that succeeded."""

    lap: Lap
    peak_mb: float
    output: str
    errors: str
    """What it wrote to stderr."""


def python(*arguments: str) -> Ran:
    """Runs `python ARGUMENTS`, this one. Raises `BenchError` where it fails."""
    return run([sys.executable, *arguments])


def run(command: Sequence[str], environment: Mapping[str, str] | None = None, folder: Path | None = None) -> Ran:
    """Runs a command. Raises `BenchError` where it fails."""
    if not hasattr(os, "wait4"):
        raise BenchError("this system does not tell what a command took: run this part on Linux or macOS")
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as told:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=said, stderr=told, env={**os.environ, **(environment or {})}, cwd=folder)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        told.seek(0)
        output, errors = said.read(), told.read()
    if process.returncode:
        last = errors.strip().splitlines()[-1:] or ["it said nothing"]
        raise BenchError(f"{' '.join(command)} ended with status {process.returncode}: {last[0]}")
    return Ran(Lap(wall, usage.ru_utime + usage.ru_stime), usage.ru_maxrss / _KIB_OF_MAXRSS / 1024, output, errors)
