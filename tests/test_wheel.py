"""The wheel holds all that the program needs: built, installed apart, and asked from another folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import LISTINGS, ROOT

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]

PACKAGES = ("assistant", "index", "ui", "eval")
QUESTION = "How does TideCache cut time to first token?"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, tracked):
        if (ROOT / name).is_file():
            (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "source" / name).write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(folder / "source")]
    subprocess.run(command, check=True)
    (built,) = folder.glob("*.whl")
    return built


def test_every_tracked_file_of_the_packages_is_in_the_wheel(wheel: Path) -> None:
    tracked = subprocess.run(["git", "ls-files", *PACKAGES], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    held = set(zipfile.ZipFile(wheel).namelist())
    assert tracked and [name for name in tracked if name not in held] == []


def test_installed_apart_it_answers_from_another_folder(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(site), str(wheel)], check=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(site), "ASSISTANT_HOME": str(tmp_path / "papers"), "HF_HUB_OFFLINE": "1"}

    def run(*arguments: str) -> str:
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=elsewhere, env=environment, capture_output=True, text=True, check=True).stdout

    assert run("-c", "import assistant; print(assistant.__file__)").startswith(str(site))
    run("-m", "assistant", "index", str(LISTINGS))
    answer = json.loads(run("-m", "assistant", "ask", QUESTION, "--json"))
    assert answer["answered"] and answer["citations"][0]["title"].startswith("TideCache")
