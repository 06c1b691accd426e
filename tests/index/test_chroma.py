"""The same of the vectors holds wherever Chroma keeps them: in a folder of the home, or on a server."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from index import HomeError, Library
from index.chroma import ChromaServer
from index.embedding import ToyEmbedder
from tests.conftest import LISTINGS, ROOT
from tests.index.test_library import GRAVEL, PAPERS, CountingEmbedder, check_whole, nearest

Opener = Callable[..., Library]


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Chroma server that runs on this machine."""
    port, folder = free_port(), tmp_path_factory.mktemp("server")
    run = "from chromadb.cli.cli import app; app()"
    command = [sys.executable, "-c", run, "run", "--path", str(folder / "data"), "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder) as server:
        url = f"http://127.0.0.1:{port}"
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        for _ in range(600):
            try:
                direct.open(f"{url}/api/v2/heartbeat", timeout=1)
                break
            except OSError:
                assert server.poll() is None
                time.sleep(0.1)
        yield url
        server.terminate()


@pytest.fixture(params=["folder", "server"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """Opens libraries of one home whose vectors are here or there, and closes them in the end."""
    chroma = None if request.param == "folder" else ChromaServer(request.getfixturevalue("address"))
    libraries: list[Library] = []

    def opened(embedder: ToyEmbedder | None = None, at: Path = tmp_path / "library") -> Library:
        libraries.append(Library(at, embedder or ToyEmbedder(), chroma))
        return libraries[-1]

    yield opened
    for library in libraries:
        library.vectors.empty()
        library.close()


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    return Path(shutil.copytree(LISTINGS, tmp_path / "sources"))


# Both


def test_what_was_added_is_whole_found_and_not_embedded_twice(opened: Opener) -> None:
    embedder = CountingEmbedder()
    library = opened(embedder)
    library.add([str(LISTINGS)])
    embedded = embedder.embedded
    again = opened(embedder)
    again.catch_up()
    again.refresh()
    assert embedder.embedded == embedded
    check_whole(again)


def test_a_change_and_a_removal_reach_the_vectors(opened: Opener, sources: Path) -> None:
    library = opened()
    library.add([str(sources)])
    file = sources / "dated.txt"
    file.write_text(file.read_text().replace("Momentum doubles the memory", "Zebras double the memory"))
    library.refresh()
    assert nearest(library, "zebras double")[0] == GRAVEL
    check_whole(library)
    library.remove(str(file))
    check_whole(library, papers=3)


def test_another_model_and_a_rebuild_make_all_anew(opened: Opener) -> None:
    opened().add([str(LISTINGS)])
    smaller = opened(ToyEmbedder(32))
    smaller.catch_up()
    check_whole(smaller)
    smaller.rebuild()
    assert smaller.stale() == PAPERS
    smaller.catch_up()
    check_whole(smaller)
    assert len(smaller.vectors.place.client.list_collections()) == 1


def test_a_search_keeps_to_the_papers_allowed_and_ids_are_those_of_the_papers(opened: Opener) -> None:
    library = opened()
    library.add([str(LISTINGS)])
    library.reopen_if_moved()
    query = library.embedder.embed_queries(["gravel and moth networks"])[0]
    assert {hit.paper_id for hit in library.search_vectors("chunks", query, 50, {GRAVEL})} == {GRAVEL}
    papers = {paper.paper_id for paper in library.papers()}
    assert {identifier for identifier, _, _ in library.vectors.ids("chunks")} == papers


def test_lost_vectors_are_made_anew(opened: Opener) -> None:
    library = opened()
    library.add([str(LISTINGS)])
    library.vectors.empty()
    again = opened()
    assert again.stale() == PAPERS
    again.catch_up()
    check_whole(again)


# The server


ASKER = """
import sys, time
from pathlib import Path
from index import Library
from index.chroma import ChromaServer
from index.embedding import ToyEmbedder

library = Library(Path(sys.argv[1]), ToyEmbedder(), ChromaServer(sys.argv[2]))
print("asking", flush=True)
seen = 0
while seen < int(sys.argv[3]):
    library.reopen_if_moved()
    hits = library.search_vectors("chunks", library.embedder.embed_queries(["the"])[0], 50)
    assert len({hit.paper_id for hit in hits}) == len(hits) >= seen, (seen, hits)
    seen = len(hits)
    time.sleep(0.05)
print("done", flush=True)
"""


def test_two_askers_see_what_one_indexer_adds(tmp_path: Path, address: str, sources: Path) -> None:
    indexer = Library(tmp_path / "shared", ToyEmbedder(), ChromaServer(address))
    indexer.add([str(sources / "compact.txt")])
    command = [sys.executable, "-c", ASKER, str(tmp_path / "shared"), address, str(PAPERS)]
    askers = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for asker in askers:
        assert asker.stdout is not None and asker.stdout.readline() == "asking\n"
    for name in ("dated.txt", "spaced.txt"):
        indexer.add([str(sources / name)])
    for asker in askers:
        assert asker.communicate(timeout=60)[0] == "done\n" and asker.returncode == 0
    check_whole(indexer)
    assert not (tmp_path / "shared" / "vectors").exists()
    indexer.vectors.empty()
    indexer.close()


def test_two_libraries_in_one_database_never_touch_each_other(tmp_path: Path, address: str, sources: Path) -> None:
    one, other = (Library(tmp_path / name, ToyEmbedder(), ChromaServer(address)) for name in ("one", "other"))
    one.add([str(sources)])
    other.add([str(sources / "compact.txt")])
    other.vectors.empty()
    check_whole(one)
    for library in (one, other):
        library.vectors.empty()
        library.close()


def test_vectors_move_to_a_server_and_back(tmp_path: Path, address: str) -> None:
    for chroma in (None, ChromaServer(address), None):
        library = Library(tmp_path / "moving", ToyEmbedder(), chroma)
        library.add([str(LISTINGS)])
        library.catch_up()
        check_whole(library)
        library.vectors.empty()
        library.close()


def test_a_server_that_is_not_there_is_a_clear_error_and_the_papers_are_there(tmp_path: Path, address: str) -> None:
    library = Library(tmp_path / "library", ToyEmbedder(), ChromaServer(address))
    library.add([str(LISTINGS)])
    library.vectors.empty()
    library.close()
    gone = Library(tmp_path / "library", ToyEmbedder(), ChromaServer(f"http://127.0.0.1:{free_port()}"))
    with pytest.raises(HomeError, match=r"the Chroma server http://127\.0\.0\.1:\d+/.* does not answer.*check that it runs"):
        gone.vectors.count("chunks")
    with pytest.raises(HomeError, match="does not answer"):
        gone.catch_up()
    assert len(gone.papers()) == PAPERS


def test_an_unknown_tenant_is_a_clear_error(tmp_path: Path, address: str) -> None:
    library = Library(tmp_path / "library", ToyEmbedder(), ChromaServer(address, tenant="nobody"))
    with pytest.raises(HomeError, match="chroma_tenant and chroma_database"):
        library.add([str(LISTINGS)])


@pytest.mark.parametrize("url", ["ftp://host", "host:8000", "http://", "http://host:99999", "http://host/path", "http://[::1"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(HomeError, match="is no address of a Chroma server: give http://HOST:PORT"):
        ChromaServer(url)


class Refusing(BaseHTTPRequestHandler):
    """Keeps what it was asked with, and lets nobody in."""

    seen: list[tuple[str, str | None, str | None]]

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers["Authorization"], self.headers["X-Chroma-Token"]))
        self.send_response(401)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def refusing() -> Iterator[tuple[str, list[tuple[str, str | None, str | None]]]]:
    seen: list[tuple[str, str | None, str | None]] = []
    handler = type("Handler", (Refusing,), {"seen": seen})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", seen
        server.shutdown()


def test_the_token_goes_with_a_request_and_into_no_message(
    tmp_path: Path, refusing: tuple[str, list[tuple[str, str | None, str | None]]]
) -> None:
    url, seen = refusing
    server = ChromaServer(url, token="secret-word")
    with pytest.raises(HomeError, match="CHROMA_TOKEN") as raised:
        Library(tmp_path, ToyEmbedder(), server).vectors.count("chunks")
    assert seen == [("/api/v2/heartbeat", "Bearer secret-word", "secret-word")]
    assert "secret-word" not in f"{raised.value}{server!r}{server.name}"


def test_a_server_on_this_machine_is_reached_by_no_proxy(
    tmp_path: Path, address: str, refusing: tuple[str, list[object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, refusing[0])
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "elsewhere.example")
    library = Library(tmp_path / "library", ToyEmbedder(), ChromaServer(address))
    library.add([str(LISTINGS)])
    check_whole(library)
    library.vectors.empty()
    assert refusing[1] == [] and os.environ["no_proxy"].startswith("elsewhere.example,")
