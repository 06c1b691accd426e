"""Arrows point one way, also between the rooms of a package, and importing is cheap."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

HEAVY = {"torch", "transformers", "sentence_transformers", "chromadb", "llama_index", "gradio", "sklearn", "pandas"}
UNKNOWN_TO = {"index": {"assistant", "ui", "eval", "tests"}, "assistant": {"ui", "eval", "tests"}, "ui": {"tests"}, "eval": {"tests"}}

_PLAIN = {"errors", "answer", "sanitize", "fitted", "settings"}
"""Records, errors and helpers that know no stage of the pipeline."""
KNOWN_TO = {
    "answer": {"sanitize"},
    "sanitize": set(),
    "errors": set(),
    "fitted": {"errors"},
    "settings": {"errors"},
    "conversations": {"answer"},
    "query": _PLAIN,
    "retrieval": _PLAIN | {"query"},
    "evidence": _PLAIN | {"query", "retrieval"},
    "verification": _PLAIN | {"evidence"},
    "llms": _PLAIN,
    "generation": _PLAIN | {"query", "evidence", "verification", "llms"},
    "records": _PLAIN | {"query", "retrieval", "evidence", "generation"},
    "pipeline": _PLAIN | {"query", "retrieval", "evidence", "verification", "llms", "generation", "records"},
    "drafts": _PLAIN | {"pipeline", "verification"},
}
"""What each room of `assistant` may know of the others, in the order of a question's way. `cli` and `serving` may know all."""
EDGES = {"cli", "serving"}


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


def rooms_known(file: Path) -> Iterator[str]:
    """The other rooms of its package that a module imports when it runs; what only types are taken from is left out."""
    package, own, *_ = file.relative_to(ROOT).with_suffix("").parts
    for node in _run(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == package:
            _, _, inner = (node.module or "").partition(".")
            yield from ({inner.partition(".")[0]} if inner else {name.name for name in node.names if name.name in KNOWN_TO}) - {own}


def _run(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and getattr(child.test, "id", "") == "TYPE_CHECKING"):
            yield child
            yield from _run(child)


@pytest.mark.parametrize("room", KNOWN_TO)
def test_a_room_knows_only_those_before_it(room: str) -> None:
    folder = ROOT / "assistant" / room
    files = sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]
    assert files
    wrong = [(str(file.relative_to(ROOT)), name) for file in files for name in rooms_known(file) if name not in KNOWN_TO[room]]
    assert wrong == []


def test_every_room_has_its_arrows() -> None:
    found = {path.stem for path in (ROOT / "assistant").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert {name for name in found if not name.startswith("__")} == KNOWN_TO.keys() | EDGES


def test_the_design_draws_every_room() -> None:
    design = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    assert [room for room in KNOWN_TO.keys() | EDGES if not re.search(rf"`{room}(?:/|\.py)`", design)] == []


def test_the_glossarys_words_are_those_of_the_code() -> None:
    names = re.findall(r"^\| [^|]+ \| `([\w.]+)` \|", (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(names) > 20
    parts = [name.rpartition(".") for name in names]
    assert [name for module, _, name in parts if not hasattr(importlib.import_module(module), name)] == []


@pytest.mark.parametrize("room", ["sources", "embedding"])
def test_sources_and_embedding_know_neither_library_nor_storage(room: str) -> None:
    above = {"library", "storing", "catalogue", "vectors", "chroma", "following", "watching", "archive"}
    files = sorted((ROOT / "index" / room).rglob("*.py"))
    assert files
    wrong = [(str(file.relative_to(ROOT)), name) for file in files for name in rooms_known(file) if name in above]
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
