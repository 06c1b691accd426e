"""The small listings as material, and the published model loaded once."""

from __future__ import annotations

from pathlib import Path

import pytest

from eval.baselines.base import PUBLISHED, Material, Place
from index import Library
from index.chunking import cut


@pytest.fixture
def material(toy_library: Library) -> Material:
    papers = toy_library.papers()
    return Material(tuple(papers), tuple(cut(papers, PUBLISHED)))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    folder = tmp_path / "searcher"
    folder.mkdir()
    return Place(folder, PUBLISHED, None)
