"""A small home that a served process can open: the listings, embedded by the real model."""

from __future__ import annotations

from pathlib import Path

import pytest

from index import Library
from index.embedding import MiniLM
from tests.conftest import LISTINGS


@pytest.fixture(scope="session")
def listings_home(tmp_path_factory: pytest.TempPathFactory, minilm: MiniLM) -> Path:
    """Read only."""
    home = tmp_path_factory.mktemp("listings")
    library = Library(home, minilm)
    library.add([str(LISTINGS)])
    library.close()
    return home
