"""Runs a command as a user would, and says what it took.

Comes out: time on the clock, the processor's time and the peak of memory of that one command, its children's
included where it waited for them. A small process between (`launcher.py`) starts it, so that this one's memory
does not count. Needs Unix: Windows does not tell.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.bench.figures import Lap
from eval.errors import EvalError

_LAUNCHER = Path(__file__).with_name("launcher.py")
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
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as told, tempfile.NamedTemporaryFile("r") as report:
        launched = [sys.executable, "-I", "-S", str(_LAUNCHER), report.name, *command]
        subprocess.run(launched, stdout=said, stderr=told, env={**os.environ, **(environment or {})}, cwd=folder, check=False)
        said.seek(0)
        told.seek(0)
        output, errors, figures = said.read(), told.read(), report.read().split()
    if not figures:
        raise BenchError(f"{' '.join(command)} could not be started: {_last(errors)}")
    status, wall, cpu, peak = (float(one) for one in figures)
    if status:
        raise BenchError(f"{' '.join(command)} ended with status {status:.0f}: {_last(errors)}")
    return Ran(Lap(wall, cpu), peak / _KIB_OF_MAXRSS / 1024, output, errors)


def _last(told: str) -> str:
    return (told.strip().splitlines() or ["it said nothing"])[-1]
