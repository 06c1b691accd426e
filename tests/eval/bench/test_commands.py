"""What a command took: its own figures, whatever the process that asks for them holds."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from eval.bench.commands import BenchError, python, run

MB = 1 << 20


def test_the_peak_is_the_commands_and_not_that_of_who_starts_it() -> None:
    held = b"x" * (400 * MB)
    assert python("-S", "-c", "pass").peak_mb < 100
    assert len(held) == 400 * MB


def test_the_peak_holds_what_the_command_let_go_of_again() -> None:
    idle, busy = python("-S", "-c", "pass"), python("-S", "-c", f"len(b'x' * {200 * MB})")
    assert 190 < busy.peak_mb - idle.peak_mb < 230


def test_time_output_and_errors_are_the_commands(tmp_path: Path) -> None:
    say = "import os, sys, time; time.sleep(0.2); print(os.getcwd(), os.environ['ASKED']); print('so', file=sys.stderr)"
    ran = run([sys.executable, "-S", "-c", say], {"ASKED": "yes"}, tmp_path)
    assert ran.output.split() == [str(tmp_path), "yes"] and ran.errors == "so\n"
    assert ran.lap.wall >= 0.2 > ran.lap.cpu


def test_a_command_that_fails_or_is_not_there_is_told() -> None:
    with pytest.raises(BenchError, match="ended with status 3: because"):
        python("-S", "-c", "import sys; print('because', file=sys.stderr); sys.exit(3)")
    with pytest.raises(BenchError, match=r"could not be started: .*no-such-command"):
        run(["no-such-command"])
