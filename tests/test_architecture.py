"""Arrows point one way, and importing is cheap."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

HEAVY = {"torch", "transformers", "sentence_transformers", "chromadb", "llama_index", "gradio", "sklearn", "pandas"}
UNKNOWN_TO = {"index": {"assistant", "ui", "eval", "tests"}, "assistant": {"ui", "eval", "tests"}, "ui": {"tests"}, "eval": {"tests"}}


def imported(file: Path) -> Iterator[str]:
    """The top-level packages that a module imports, anywhere in it."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0] if node.level == 0 else file.relative_to(ROOT).parts[0]


@pytest.mark.parametrize("package", UNKNOWN_TO)
def test_a_package_imports_none_that_it_should_not_know(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    wrong = [(str(file.relative_to(ROOT)), name) for file in files for name in imported(file) if name in UNKNOWN_TO[package]]
    assert wrong == []


@pytest.mark.parametrize("package", ["index", "assistant"])
def test_importing_a_package_loads_nothing_heavy(package: str) -> None:
    code = f"import sys, {package}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert package in loaded and HEAVY.isdisjoint(loaded), HEAVY & set(loaded)


def test_every_package_with_code_is_packed() -> None:
    import tomllib

    packed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    folders = {str(file.parent.relative_to(ROOT)).replace("/", ".") for package in UNKNOWN_TO for file in (ROOT / package).rglob("*.py")}
    assert sorted(packed) == sorted(folders)
