from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT


def test_the_index_alone_refuses_what_it_cannot_read_without_a_traceback(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "index", "--home", str(tmp_path / "home"), str(tmp_path / "missing.txt")]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 1
    assert run.stdout == "0 entries read, 0 new, 0 papers in the library\n"
    assert run.stderr == f"error: {tmp_path}/missing.txt: there is no such file or folder: check the path\n"


def test_the_index_alone_refuses_a_bad_home_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    command = [sys.executable, "-m", "index", "--home", str(tmp_path / "file"), str(ROOT / "tests" / "listings")]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith(f"error: {tmp_path}/file: the home folder cannot be made") and run.stderr.count("\n") == 1
