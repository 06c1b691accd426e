from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import pytest

from assistant import Assistant
from index import BusyError, HomeError, Library, SourceError, open_library, vectors
from index import home as homes
from index import library as module
from index.embedding import Encoded, MiniLM, ToyEmbedder
from index.paper import paper_id_of
from tests.conftest import LISTINGS

PAPERS = 6  # of the small listings
GRAVEL = paper_id_of("Gravel: Stochastic Gradient Descent with Pebbles of Momentum")
MOTH = paper_id_of("MothNet: Sparse Networks Inspired by the Olfactory System")


class CountingEmbedder(ToyEmbedder):
    """Counts the texts it embeds."""

    embedded = 0

    def encode(self, texts: Sequence[str]) -> Iterator[tuple[int, Encoded]]:
        self.embedded += len(texts)
        return super().encode(texts)


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A copy of the small listings, to be changed."""
    return Path(shutil.copytree(LISTINGS, tmp_path / "sources"))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "library"


@pytest.fixture
def opened(home: Path) -> Iterator[Callable[..., Library]]:
    """Opens libraries, by default in the same home with the toy embedder, and closes them in the end."""
    libraries: list[Library] = []

    def opened(embedder: Any = None, at: Path = home) -> Library:
        libraries.append(Library(at, embedder or ToyEmbedder()))
        return libraries[-1]

    yield opened
    for library in libraries:
        library.close()


def nearest(library: Library, question: str) -> list[str]:
    """Papers by their chunks nearest to a question, as a reader sees them."""
    library.reopen_if_moved()
    return [hit.paper_id for hit in library.search_vectors("chunks", library.embedder.embed_queries([question])[0], 10)]


def check_whole(library: Library, papers: int = PAPERS) -> None:
    """What holds of a finished library: nothing stale, nothing twice, each paper found with all its sentences."""
    library.reopen_if_moved()
    manifest = library.manifest()
    assert manifest is not None and manifest.complete and library.stale() == 0
    toy = ToyEmbedder(library.embedder.dimension)
    assert library.catalogue.count() == manifest.papers == papers
    found = library.sentences([paper.paper_id for paper in library.papers()])
    assert len(found) == papers
    for paper in library.papers():
        spans, rows = found[paper.paper_id]
        assert rows.shape == (len(spans), library.embedder.dimension)
        texts = [paper.abstract[start:end] for start, end in spans]
        assert (rows * toy.embed_queries(texts)).sum(axis=1).min() > 0.99
    assert sorted(nearest(library, "the")) == sorted(found)
    assert library.states.sentences() == sum(len(spans) for spans, _ in found.values()) == manifest.sentences
    assert library.vectors.count("chunks") == manifest.chunks == papers


# Adding, refreshing, removing


def test_what_was_added_is_counted_and_whole(opened: Callable[..., Library]) -> None:
    library = opened()
    report = library.add([str(LISTINGS)])
    assert (report.read, report.new, report.seen_before, report.papers, report.skipped, report.failed) == (7, 6, 1, 6, (), ())
    check_whole(library)


def test_a_second_add_embeds_nothing(opened: Callable[..., Library]) -> None:
    embedder = CountingEmbedder()
    library = opened(embedder)
    library.add([str(LISTINGS)])
    embedded, generation = embedder.embedded, library.manifest().generation
    report = library.add([str(LISTINGS), str(LISTINGS / "dated.txt")])
    assert (report.read, report.unchanged, report.seen_before, report.new, report.changed) == (7, 6, 1, 0, 0)
    assert (embedder.embedded, library.manifest().generation) == (embedded, generation)
    again = opened(embedder)
    again.catch_up()
    again.refresh()
    assert embedder.embedded == embedded
    check_whole(again)


def test_only_a_changed_paper_is_embedded_again(opened: Callable[..., Library], sources: Path) -> None:
    embedder = CountingEmbedder()
    library = opened(embedder)
    library.add([str(sources)])
    embedded = embedder.embedded
    file = sources / "dated.txt"
    file.write_text(file.read_text().replace("Momentum doubles the memory", "Zebras double the memory"))
    report = library.refresh()
    assert (report.changed, report.unchanged, report.seen_before) == (1, 5, 1)
    assert embedder.embedded - embedded == 1  # its chunk
    assert nearest(library, "zebras double")[0] == GRAVEL
    check_whole(library)


def test_a_paper_that_left_its_source_is_gone_from_the_vectors(opened: Callable[..., Library], sources: Path) -> None:
    library = opened()
    library.add([str(sources)])
    file = sources / "dated.txt"
    file.write_text(file.read_text().partition("Lantern")[0])
    library.refresh()
    check_whole(library, papers=4)


def test_removing_takes_a_source_by_its_path_or_by_what_was_asked_for(opened: Callable[..., Library], sources: Path) -> None:
    library = opened()
    library.add([str(sources)])
    assert library.remove(str(sources / "dated.txt")) == 3
    check_whole(library, papers=3)
    assert library.remove(str(sources)) == 3
    check_whole(library, papers=0)
    assert nearest(library, "anything") == []


def test_removing_an_unknown_source_names_the_known_ones(toy_library: Library) -> None:
    with pytest.raises(SourceError, match=r"nowhere\.txt: no such source in the library; known: .*compact\.txt, .*dated\.txt"):
        toy_library.remove("nowhere.txt")
    check_whole(toy_library)


def test_refreshing_tells_of_sources_that_are_gone_or_spoilt_and_keeps_their_papers(opened: Callable[..., Library], sources: Path) -> None:
    library = opened()
    library.add([str(sources), str(sources / "spaced.txt")])
    (sources / "dated.txt").unlink()
    (sources / "compact.txt").write_bytes(b"%PDF-1.7")
    (sources / "new.pdf.txt").write_bytes(b"%PDF-1.7")
    told = {Path(skip.source).name: skip.reason for skip in library.refresh().skipped}
    kept = "its papers are kept (drop them with `assistant remove`)"
    assert told["dated.txt"] == f"the file is not there any more; {kept}"
    assert told["compact.txt"].startswith("this is a PDF") and told["compact.txt"].endswith(kept)
    assert told["new.pdf.txt"].startswith("this is a PDF") and kept not in told["new.pdf.txt"]
    assert len(told) == 3
    shutil.rmtree(sources)
    assert len(library.refresh().skipped) == 3
    check_whole(library)


def test_refreshing_brings_the_starter_library_up_to_date_too(
    opened: Callable[..., Library], monkeypatch: pytest.MonkeyPatch, sources: Path
) -> None:
    library = opened()
    monkeypatch.setattr(module, "STARTER", "starter")
    monkeypatch.setattr(module.resources, "files", lambda package: sources.parent)
    sources.rename(sources.parent / "starter")
    assert library.add_starter().new == 6
    (sources.parent / "starter" / "spaced.txt").write_text(
        "Get trending papers in your email inbox!\nA New One\nIt is new here. It was not before.\n"
    )
    report = library.refresh()
    assert (report.new, report.unchanged) == (1, 5)


def test_bad_files_stop_no_good_one_and_nothing_stored_is_lost(opened: Callable[..., Library], sources: Path) -> None:
    library = opened()
    library.add([str(sources)])
    (sources / "bad.txt").write_bytes(b"\0")
    (sources / "more.txt").write_text("Get trending papers in your email inbox!\nZebra\nIt has stripes. It is fast.\n• 3 authors\nAlone\n")
    report = library.add([str(sources), "missing.txt", str(sources / "bad.txt")])
    assert (report.new, report.unchanged, report.papers) == (1, 6, 7)
    assert {Path(skip.source).name: skip.line for skip in report.skipped} == {"bad.txt": 1, "more.txt": 5}
    assert [error.source for error in report.failed] == ["missing.txt", str(sources / "bad.txt")]
    check_whole(library, papers=7)


def test_a_folder_of_which_nothing_can_be_read_has_failed(opened: Callable[..., Library], tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"%PDF-")
    (tmp_path / "b.txt").write_bytes(b"")
    report = opened(at=tmp_path / "x").add([str(tmp_path)])
    (error,) = report.failed
    assert str(error).startswith(f"{tmp_path}: none of its 2 files could be read; {tmp_path}/a.txt: this is a PDF: ")
    assert (report.read, report.papers, len(report.skipped)) == (0, 0, 2)


def test_progress_of_embedding_runs_from_nothing_to_all(opened: Callable[..., Library]) -> None:
    told: list[tuple[int, int]] = []
    opened().add([str(LISTINGS)], lambda done, total: told.append((done, total)))
    assert told == [(0, PAPERS), (PAPERS, PAPERS)]


# Searching


def test_an_empty_library_finds_nothing(opened: Callable[..., Library]) -> None:
    library = opened()
    assert nearest(library, "anything") == []
    assert library.search_words(library.lexical.terms("anything"), 5) == []
    assert library.sentences(["unknown"]) == library.chunk_cosines(library.embedder.embed_queries(["x"])[0], ["unknown"]) == {}


@pytest.mark.parametrize(("allowed", "found"), [({GRAVEL, MOTH}, {GRAVEL, MOTH}), ({"unknown"}, set()), (set(), set())])
def test_a_search_keeps_to_the_papers_allowed(toy_library: Library, allowed: set[str], found: set[str]) -> None:
    toy_library.reopen_if_moved()
    query = toy_library.embedder.embed_queries(["gravel and moth networks"])[0]
    assert {hit.paper_id for hit in toy_library.search_vectors("chunks", query, 50, allowed)} == found
    words = toy_library.search_words(toy_library.lexical.terms("momentum and multiplications"), 5, allowed)
    assert {hit.paper_id for hit in words} == found


def test_a_search_among_very_many_papers_finds_the_same(toy_library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    toy_library.reopen_if_moved()
    query, allowed = toy_library.embedder.embed_queries(["gravel and moth networks"])[0], {GRAVEL, MOTH}
    for limit in (1, 3, 50):
        listed = toy_library.search_vectors("chunks", query, limit, allowed)
        with monkeypatch.context() as fewer:
            fewer.setattr(vectors, "_LISTED_AT_MOST", 1)
            assert toy_library.search_vectors("chunks", query, limit, allowed) == listed
    many = allowed | {f"{number:012x}" for number in range(40_000)}
    assert toy_library.search_vectors("chunks", query, 50, many) == listed


def test_a_hit_is_a_paper_its_cosine_and_the_position_of_the_chunk(opened: Callable[..., Library], sources: Path) -> None:
    words = [f"Pebble{number} rolls down hill{number}." for number in range(100)]
    (sources / "long.txt").write_text(f"A Long Walk\n{' '.join(words)}\n")
    library = opened()
    library.add([str(sources / "long.txt")])
    library.reopen_if_moved()
    hit = library.search_vectors("chunks", library.embedder.embed_queries([words[-1]])[0], 1)[0]
    assert (hit.paper_id, hit.position) == (paper_id_of("A Long Walk"), 1) and 0.1 < hit.score < 1.0


def test_a_sentence_has_the_mean_of_its_tokens_states_as_its_vector(toy_library: Library) -> None:
    toy_library.reopen_if_moved()
    paper = toy_library.papers([GRAVEL])[0]
    spans, rows = toy_library.sentences([GRAVEL])[GRAVEL]
    assert paper.abstract[slice(*spans[2])].startswith("Across five language models")
    alone = toy_library.embedder.encode_query(paper.abstract[slice(*spans[2])]).states.mean(axis=0)
    assert rows[2] @ alone / np.linalg.norm(alone) == pytest.approx(1.0, abs=0.01)  # rounded to 8 bits


def test_the_cosine_of_a_paper_not_found_is_that_of_its_first_chunk(toy_library: Library) -> None:
    toy_library.reopen_if_moved()
    query = toy_library.embedder.embed_queries(["gravel momentum"])[0]
    found = {hit.paper_id: hit.score for hit in toy_library.search_vectors("chunks", query, 10)}
    assert toy_library.chunk_cosines(query, [GRAVEL, "unknown"]) == {GRAVEL: pytest.approx(found[GRAVEL], abs=1e-5)}


def test_many_threads_search_while_one_writes(opened: Callable[..., Library], sources: Path) -> None:
    library = opened()
    library.add([str(sources)])
    failures: list[BaseException] = []

    def read() -> None:
        try:
            for _ in range(20):
                assert GRAVEL in nearest(library, "gravel momentum pebbles")
                library.sentences([GRAVEL])
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    (sources / "more.txt").write_text("Get trending papers in your email inbox!\nZebra\nIt has stripes. It is fast.\n")
    library.refresh()
    for thread in threads:
        thread.join()
    assert failures == []
    check_whole(library, papers=7)


# Dense hits are Chroma's


def test_a_vector_deleted_from_chroma_is_no_longer_found(starter_home: Path, tmp_path: Path, minilm: MiniLM) -> None:
    import chromadb

    home = Path(shutil.copytree(starter_home, tmp_path / "copy"))
    title = "KV Prediction for Improved Time to First Token"
    library = Library(home, minilm)
    before = nearest(library, title)
    assert before[0] == paper_id_of(title)
    library.close()
    client = chromadb.PersistentClient(str(home / "vectors"), settings=chromadb.Settings(anonymized_telemetry=False))
    collection = next(one for one in client.list_collections() if one.name.startswith("chunks-"))
    collection.delete(ids=[identifier for identifier in collection.get()["ids"] if identifier.startswith(before[0])])
    client.close()
    assert nearest(library, title)[: len(before) - 1] == before[1:]
    library.close()


def test_llamaindex_finds_the_same_paper_in_the_same_collection(starter: Assistant, minilm: MiniLM) -> None:
    from llama_index.core import VectorStoreIndex

    starter.library.reopen_if_moved()
    index = VectorStoreIndex.from_vector_store(starter.library.llama_index(), embed_model=minilm.llama_index)
    for question in ("How does Hydragen speed up decoding?", "learning rate schedules for small budgets"):
        (node,) = index.as_retriever(similarity_top_k=1).retrieve(question)
        (paper,) = starter.library.papers(nearest(starter.library, question)[:1])
        assert node.metadata == {"paper_id": paper.paper_id, "title": paper.title}
        assert node.text.startswith(f"{paper.display_title}. ") and node.node.ref_doc_id == paper.paper_id


# Opening a home


def test_the_starter_library_goes_by_itself_into_a_default_home_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    chosen = open_library(tmp_path / "chosen", ToyEmbedder(), announce=told.append)
    assert (chosen.catalogue.count(), told) == (0, [])
    monkeypatch.delenv("ASSISTANT_HOME")
    monkeypatch.setattr(homes, "default_home", lambda: tmp_path / "default")
    first = open_library(embedder=ToyEmbedder(), announce=told.append)
    assert (first.catalogue.count(), told) == (640, [f"First use: indexing the starter library into {tmp_path / 'default'}"])
    for name in {source.root for source, _ in first.catalogue.sources()}:
        first.remove(name)
    assert open_library(embedder=ToyEmbedder(), announce=told.append).catalogue.count() == 0  # it was used: not again
    assert len(told) == 1


def test_a_home_that_another_process_is_indexing_is_opened_with_what_there_is(
    opened: Callable[..., Library], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened().add([str(LISTINGS)])
    monkeypatch.setattr(module, "_LOCK_SECONDS", 0.1)
    told: list[str] = []
    with filelock.FileLock(home / "write.lock"):
        library = open_library(home, ToyEmbedder(dimension=32), announce=told.append)
        assert library.search_words(library.lexical.terms("gravel"), 1)[0].paper_id == GRAVEL
        with pytest.raises(BusyError, match="another process is writing to this home: wait until it is done, then try again"):
            library.add([str(LISTINGS)])
    assert "made by another version: 6 papers to embed anew by toy" in told[0] and "another process is writing" in told[1]
    library.catch_up()
    check_whole(library)


@pytest.mark.parametrize("name", ["file", "file/below", "file/far/below"])
def test_a_home_at_or_below_a_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HomeError, match=r"the home folder cannot be made \(.*\): choose another with --home"):
        Library(tmp_path / name, ToyEmbedder())


@pytest.mark.skipif(module.os.geteuid() == 0, reason="root may write everywhere")
def test_a_home_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(HomeError, match="the home folder cannot be written: check its permissions"):
        Library(tmp_path, ToyEmbedder())


def test_a_home_of_an_unknown_user_is_refused() -> None:
    with pytest.raises(HomeError, match="there is no such user"):
        homes.chosen_home("~nobody-of-that-name/papers")


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"unknown": 1}', "\udcff"])
def test_a_manifest_that_is_none_is_refused_and_deleting_it_helps(opened: Callable[..., Library], home: Path, content: str) -> None:
    library = opened()
    library.add([str(LISTINGS)])
    (home / "manifest.json").write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(HomeError, match="delete this file, and the vectors are made anew"):
        library.catch_up()
    (home / "manifest.json").unlink()
    library.catch_up()
    check_whole(library)


def test_the_manifest_says_what_made_the_vectors(toy_library: Library) -> None:
    stored = json.loads((toy_library.home / "manifest.json").read_text())
    assert (stored["model"], stored["model_digest"], stored["dimension"], stored["chunk_tokens"]) == ("toy", "toy-64", 64, 256)
    assert (stored["complete"], stored["papers"], stored["chunks"], stored["generation"]) == (True, PAPERS, PAPERS, 1)


def test_papers_that_a_source_no_longer_tells_are_told(opened: Callable[..., Library], sources: Path) -> None:
    library = opened()
    library.add([str(sources)])
    dated = sources / "dated.txt"
    dated.write_text(dated.read_text().split("Lantern:")[0])
    report = library.refresh()
    assert any("2 papers stand there no more" in skip.reason for skip in report.skipped)


def test_a_folder_stays_known_when_one_of_its_files_is_named(opened: Callable[..., Library], sources: Path) -> None:
    spare = (sources / "dated.txt").rename(sources.parent / "spare.txt")
    library = opened()
    library.add([str(sources)])
    library.add([str(sources / "compact.txt"), str(sources / "spaced.txt")])
    spare.rename(sources / "dated.txt")
    assert library.refresh().new == 3


def test_a_name_that_is_no_utf8_stops_no_other_file(opened: Callable[..., Library], sources: Path) -> None:
    spoilt = Path(os.fsdecode(os.fsencode(sources) + b"/\xff.txt"))
    spoilt.write_text((sources / "dated.txt").read_text())
    report = opened().add([str(sources)])
    assert report.new == 6 and any("not UTF-8: rename" in skip.reason for skip in report.skipped)


def test_a_lock_that_cannot_be_taken_is_told(opened: Callable[..., Library], sources: Path) -> None:
    library = opened()
    (library.home / "write.lock").mkdir()
    with pytest.raises(HomeError, match=r"write\.lock"):
        library.add([str(sources)])
