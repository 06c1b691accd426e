"""What tests share: a home of their own, a small library, the starter library with the real model.

No test reaches the network beyond this machine: a connection elsewhere fails the test.
"""

from __future__ import annotations

import gc
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from filelock import FileLock

from assistant import Assistant
from index import Library
from index.embedding import MiniLM, ToyEmbedder

ROOT = Path(__file__).parents[1]
LISTINGS = Path(__file__).parent / "listings"
"""Small listings in our own words, one for each layout."""
CORPUS = ROOT.parent / "shared" / "corpus"
FIELDS = ROOT.parent / "shared" / "fields"

os.environ["HF_HUB_OFFLINE"] = "1"
WORKER = os.environ.get("PYTEST_XDIST_WORKER")
"""Of several that share the tests; none where one process runs them all."""
if WORKER:  # as many as there are cores: more threads each would only wait for one another
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

# How long an example takes tells of the machine: what must be quick has a test of its own.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


_SLOWEST = ("tests/test_quality.py", "tests/ui/test_browser.py", "tests/assistant/cli/test_app.py", "tests/eval/test_support.py")
"""Files that take longest: they begin first, so that no process waits at the end for another's."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {name: place for place, name in enumerate(_SLOWEST)}
    items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(places)))


@pytest.fixture(autouse=True, scope="module")
def nothing_left() -> Iterator[None]:
    """What a module's tests had loaded goes before the next module's loads: models hold hundreds of MB, in cycles."""
    yield
    gc.collect()


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh empty home, and no kept keys, for every test; the developer's own are never touched."""
    home = tmp_path / "home"
    for variable in [name for name in os.environ if name.startswith("ASSISTANT_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("ASSISTANT_HOME", str(home))
    monkeypatch.setattr("assistant.llms.keys.file", lambda: tmp_path / "config" / "keys.json")
    return home


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections to anything but this machine raise."""
    connect: Callable[..., Any] = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family in {socket.AF_INET, socket.AF_INET6} and str(address[0]) not in {"127.0.0.1", "::1", "localhost"}:
            raise AssertionError(f"a test tried to reach {address}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def toy_library(tmp_path: Path) -> Iterator[Library]:
    """The small listings, embedded by the toy embedder: instant."""
    library = Library(tmp_path / "toy", ToyEmbedder())
    library.add([str(LISTINGS)])
    yield library
    library.close()


@pytest.fixture(scope="session")
def minilm() -> MiniLM:
    """The real embedding model, loaded once."""
    return MiniLM()


def built_once(tmp_path_factory: pytest.TempPathFactory, name: str, build: Callable[[Path], None]) -> Path:
    """A folder that whichever worker comes first builds, and all share."""
    root = tmp_path_factory.getbasetemp()
    folder = (root.parent if WORKER else root) / name
    built = folder.with_suffix(".built")
    with FileLock(folder.with_suffix(".lock")):
        if not built.exists():
            build(folder)
            built.touch()
    return folder


@pytest.fixture(scope="session")
def starter_home(tmp_path_factory: pytest.TempPathFactory, minilm: MiniLM) -> Path:
    """A home holding the starter library, embedded by the real model into a real Chroma. Read only."""

    def build(home: Path) -> None:
        library = Library(home, minilm)
        library.add_starter()
        library.close()

    return built_once(tmp_path_factory, "starter", build)


@pytest.fixture(scope="session")
def listings_home(tmp_path_factory: pytest.TempPathFactory, minilm: MiniLM) -> Path:
    """A home holding the small listings, embedded by the real model. Read only."""

    def build(home: Path) -> None:
        library = Library(home, minilm)
        library.add([str(LISTINGS)])
        library.close()

    return built_once(tmp_path_factory, "listings", build)


@pytest.fixture(scope="session")
def starter(starter_home: Path, minilm: MiniLM) -> Iterator[Assistant]:
    """An assistant over the starter library. Read only."""
    assistant = Assistant(starter_home, embedder=minilm)
    yield assistant
    assistant.close()


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real listings, which is no part of this repository."""
    if not CORPUS.is_dir():
        pytest.skip(f"the real listings are not part of this repository and not at {CORPUS}")
    return CORPUS


@pytest.fixture(scope="session")
def fields() -> Path:
    """The folder of other fields' real abstracts, which is no part of this repository."""
    if not FIELDS.is_dir():
        pytest.skip(f"other fields' abstracts are not part of this repository and not at {FIELDS}")
    return FIELDS
