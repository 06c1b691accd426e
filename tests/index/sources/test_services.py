"""Services that papers are fetched from, against servers on loopback that answer in their documented shapes."""

from __future__ import annotations

import email.utils
import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from index import Library, SourceError
from index.embedding import ToyEmbedder
from index.sources import SERVICES, Hints, fetch, gather, registry, service_of, web
from tests.index.sources.service_server import Call, Reply, ServiceServer

Answer = Callable[[Call, int], Reply]
Serve = Callable[[str, Answer], ServiceServer]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Puts a server in the place of a service; pauses are short."""
    started: list[ServiceServer] = []
    monkeypatch.setattr(web, "_FIRST_WAIT", 0.02)

    def start(scheme: str, answer: Answer) -> ServiceServer:
        server = ServiceServer(answer)
        started.append(server)
        there = tuple(replace(each, base=server.base, pause=0.02) if each.scheme == scheme else each for each in registry.SERVICES)
        monkeypatch.setattr(registry, "SERVICES", there)
        return server

    yield start
    for server in started:
        server.shutdown()
        server.server_close()


def titles(pattern: str, hints: Hints = Hints()) -> list[str]:
    return [entry.title for entry in fetch(pattern, hints).parsed.entries]


# The answers' shapes


def atom(entries: list[str], total: int) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" xmlns:arxiv="http://arxiv.org/schemas/atom">\n'
        "<title>arXiv Query</title><id>http://arxiv.org/api/x</id><updated>2024-05-01T00:00:00-04:00</updated>\n"
        f'<opensearch:totalResults xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">{total}</opensearch:totalResults>\n'
        + "\n".join(entries)
        + "\n</feed>"
    )


def atom_entry(number: int) -> str:
    return (
        f"<entry><id>http://arxiv.org/abs/2401.{number:05d}v2</id><updated>2024-02-01T00:00:00Z</updated>"
        f"<published>2024-01-0{number % 9 + 1}T10:00:00Z</published><title>Gravel roads, part {number}</title>"
        f"<summary>We pave road {number}. It holds &lt; 3 years.</summary><author><name>Ann Stone</name></author>"
        f'<author><name>Bo Sand</name></author><category term="cs.RO"/></entry>'
    )


def daily_paper(number: int) -> dict[str, Any]:
    paper = {
        "id": f"2405.{number:05d}",
        "title": f"Paved {number}",
        "summary": f"Road {number} is paved. It holds.",
        "publishedAt": "2024-04-30T17:59:58.000Z",
        "authors": [{"_id": "x", "name": "Ann Stone", "hidden": False}],
        "upvotes": 3,
    }
    return {
        "paper": paper,
        "publishedAt": "2024-05-01T04:00:00.000Z",
        "title": paper["title"],
        "numComments": 2,
        "summary": paper["summary"],
    }


def work(number: int, abstract: bool = True) -> dict[str, Any]:
    index = {word: [place] for place, word in enumerate(f"Road {number} holds for years.".split())}
    return {
        "id": f"https://openalex.org/W{number}",
        "doi": f"https://doi.org/10.1000/road.{number}",
        "title": f"Road works {number}",
        "display_name": f"Road works {number}",
        "publication_year": 2023,
        "publication_date": "2023-04-05",
        "authorships": [{"author": {"display_name": "Ann Stone"}, "author_position": "first"}],
        "primary_location": {"source": {"display_name": "Journal of Roads"}},
        "abstract_inverted_index": index if abstract else None,
    }


def item(number: int, collections: list[str], tags: list[str], kind: str = "journalArticle") -> dict[str, Any]:
    data = {
        "key": f"ITEM{number:04d}",
        "version": 1,
        "itemType": kind,
        "title": f"Kept paper {number}",
        "creators": [{"creatorType": "author", "firstName": "Ann", "lastName": "Stone"}],
        "abstractNote": f"Paper {number} is kept. It is read.",
        "publicationTitle": "Journal of Roads",
        "date": "2021-03-04",
        "DOI": f"10.1000/kept.{number}",
        "url": "",
        "tags": [{"tag": tag} for tag in tags],
        "collections": collections,
    }
    return {"key": data["key"], "version": 1, "library": {"type": "user", "id": 0}, "meta": {}, "data": data}


# What services share


def test_a_service_is_named_by_its_scheme_and_nothing_else_is_one() -> None:
    assert [service_of(name) and service_of(name).scheme for name in ("arxiv:x", "ArXiv: x", "zotero:", "hf-papers:2024-05-01")] == [
        "arxiv",
        "arxiv",
        "zotero",
        "hf-papers",
    ]
    assert [service_of(name) for name in ("arxiv", "C:\\papers", "./arxiv:x", "pubmed:x")] == [None] * 4


def test_a_refusal_is_tried_again_after_as_long_as_the_service_asks(serve: Serve) -> None:
    def answer(call: Call, number: int) -> Reply:
        busy = {0: Reply("slow down", 429, {"Retry-After": "1"}), 1: Reply("oops", 500), 2: Reply("", 503)}
        return busy.get(number, Reply(atom([atom_entry(1)], 1)))

    server = serve("arxiv", answer)
    assert titles("arxiv:gravel") == ["Gravel roads, part 1"]
    times = [call.at for call in server.calls]
    assert times[1] - times[0] >= 0.95 and times[3] - times[2] >= 0.04


def test_a_wait_until_a_date_is_kept_to(serve: Serve) -> None:
    def busy() -> Reply:
        when = datetime.now(UTC) + timedelta(seconds=2)
        return Reply("", 503, {"Retry-After": email.utils.format_datetime(when, usegmt=True)})

    server = serve("arxiv", lambda call, number: Reply(atom([atom_entry(1)], 1)) if number else busy())
    assert titles("arxiv:gravel")
    assert server.calls[1].at - server.calls[0].at >= 0.9


def test_a_service_that_asks_to_wait_for_long_is_left_to_the_user(serve: Serve) -> None:
    server = serve("arxiv", lambda call, number: Reply("", 429, {"Retry-After": "3600"}))
    with pytest.raises(SourceError, match="arXiv answered 429, and asks to wait 3600 s"):
        fetch("arxiv:gravel")
    assert len(server.calls) == 1


def test_the_pause_between_calls_is_kept(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve("arxiv", lambda call, number: Reply(atom([atom_entry(n + int(call.params["start"])) for n in range(2)], 6)))
    monkeypatch.setattr(registry, "SERVICES", tuple(replace(each, pause=0.3) for each in registry.SERVICES))
    assert len(titles("arxiv:gravel")) == 6
    gaps = [after.at - before.at for before, after in zip(server.calls, server.calls[1:], strict=False)]
    assert len(gaps) == 2 and min(gaps) >= 0.28


def test_the_pauses_that_terms_ask_for_are_the_default() -> None:
    assert {service.scheme: service.pause for service in SERVICES}["arxiv"] == 3.0


def test_a_page_that_fails_keeps_what_came_before_and_is_told(serve: Serve) -> None:
    def answer(call: Call, number: int) -> Reply:
        return Reply(atom([atom_entry(n) for n in range(1, 3)], 4)) if number == 0 else Reply("down", 500)

    serve("arxiv", answer)
    parsed = fetch("arxiv:gravel").parsed
    assert len(parsed.entries) == 2 and parsed.partial
    assert parsed.notes[-1] == (
        "2 of 4 papers came, then: arXiv answered 500: down: try again later. They are kept; index arxiv:gravel again for the rest"
    )


def test_a_refresh_that_fails_halfway_loses_nothing_that_was_stored(serve: Serve, tmp_path: Path) -> None:
    whole = [True]

    def answer(call: Call, number: int) -> Reply:
        start = int(call.params["start"])
        if start and not whole[0]:
            return Reply("down", 500)
        return Reply(atom([atom_entry(n) for n in range(start + 1, start + 3)], 4))

    serve("arxiv", answer)
    library = Library(tmp_path / "library", ToyEmbedder())
    assert library.add(["arxiv:gravel"]).new == 4
    whole[0] = False
    report = library.refresh()
    assert (report.papers, report.new) == (4, 0)
    assert any("2 of 4 papers came" in note.text for note in report.notes)
    whole[0] = True
    assert library.refresh().papers == 4
    assert library.remove("arxiv:gravel") == 4
    library.close()


def test_a_service_that_is_away_at_a_refresh_keeps_its_papers_and_is_told(serve: Serve, tmp_path: Path) -> None:
    up = [True]
    serve("hf-papers", lambda call, number: Reply(json.dumps([daily_paper(1)])) if up[0] else Reply("", 404))
    library = Library(tmp_path / "library", ToyEmbedder())
    library.add(["hf-papers:2024-05-01"])
    up[0] = False
    report = library.refresh()
    assert report.papers == 1 and report.failed == ()
    assert [skip.source for skip in report.skipped] == ["hf-papers:2024-05-01"] and "its papers are kept" in report.skipped[0].reason
    library.close()


@pytest.mark.parametrize("text", ["<html>captive portal</html>", "{", "", "[" * 100_000, "null", "[[1]]"])
@pytest.mark.parametrize("pattern", ["arxiv:gravel", "hf-papers:2024-05-01", "openalex:gravel", "zotero:"])
def test_a_page_that_makes_no_sense_is_told(serve: Serve, pattern: str, text: str) -> None:
    serve(pattern.partition(":")[0], lambda call, number: Reply(text))
    with pytest.raises(SourceError, match=r"sent a page|nothing was found|no paper|looks like") as caught:
        fetch(pattern)
    assert len(str(caught.value)) < 500


def test_a_page_without_end_is_refused(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "_MOST_BYTES", 10_000)
    serve("openalex", lambda call, number: Reply(" " * 20_000))
    with pytest.raises(SourceError, match="sent a page of more than"):
        fetch("openalex:gravel")


def test_loopback_is_never_asked_through_a_proxy(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    serve("zotero", lambda call, number: Reply("[]" if call.path.endswith("collections") else json.dumps([item(1, [], [])])))
    assert titles("zotero:") == ["Kept paper 1"]


def test_progress_counts_the_papers_that_came_of_all(serve: Serve) -> None:
    serve("arxiv", lambda call, number: Reply(atom([atom_entry(n + int(call.params["start"])) for n in range(2)], 5)))
    told: list[tuple[int, int]] = []
    fetch("arxiv:gravel", Hints(limit=4), lambda done, total: told.append((done, total)))
    assert told == [(2, 4), (4, 4)]


def test_a_limit_is_kept_and_told(serve: Serve) -> None:
    server = serve("arxiv", lambda call, number: Reply(atom([atom_entry(n) for n in range(1, 8)], 5000)))
    parsed = fetch("arxiv:gravel", Hints(limit=3)).parsed
    assert len(parsed.entries) == 3 and server.calls[0].params["max_results"] == "3"
    assert parsed.notes == ("3 of 5,000 papers were taken (--limit N takes more)",)
    assert parsed.partial


def test_services_and_files_are_read_together_and_one_that_fails_stops_no_other(serve: Serve, tmp_path: Path) -> None:
    serve("arxiv", lambda call, number: Reply("gone", 404))
    (tmp_path / "page.txt").write_text("Get trending papers in your email inbox!\nGravel\nIt saves memory. It is fast.\n")
    gathered = gather(["arxiv:gravel", str(tmp_path)])
    assert [source.name for source, _ in gathered.read] == [str(tmp_path / "page.txt")]
    assert [str(error) for error in gathered.failed] == ["arxiv:gravel: arXiv answered 404: gone"]


# arXiv


def test_arxiv_is_asked_page_by_page_newest_first_in_its_own_syntax(serve: Serve) -> None:
    def answer(call: Call, number: int) -> Reply:
        start, most = int(call.params["start"]), int(call.params["max_results"])
        return Reply(atom([atom_entry(n) for n in range(start, min(450, start + most))], 450))

    server = serve("arxiv", answer)
    parsed = fetch("arxiv:cat:cs.RO").parsed
    assert len(parsed.entries) == 450 and not parsed.partial
    assert [int(call.params["start"]) for call in server.calls] == [0, 200, 400]
    assert {call.path for call in server.calls} == {"/api/query"}
    assert {(call.params["search_query"], call.params["sortBy"]) for call in server.calls} == {("cat:cs.RO", "submittedDate")}
    assert parsed.entries[1].arxiv_id == "2401.00001" and parsed.entries[1].abstract == "We pave road 1. It holds < 3 years."
    assert len(parsed.entries[1].authors) == 2 and parsed.entries[-1].line == 450


def test_plain_words_are_all_to_be_in_an_arxiv_paper(serve: Serve) -> None:
    server = serve("arxiv", lambda call, number: Reply(atom([atom_entry(1)], 1)))
    fetch("arxiv:gravel  roads")
    assert server.calls[0].params["search_query"] == "all:gravel AND all:roads"


def test_arxiv_papers_come_by_id_and_those_that_are_not_there_are_told(serve: Serve) -> None:
    server = serve("arxiv", lambda call, number: Reply(atom([atom_entry(1)], 1)))
    parsed = fetch("arxiv:2401.00001v1, cs/0112017").parsed
    assert server.calls[0].params["id_list"] == "2401.00001v1,cs/0112017" and "search_query" not in server.calls[0].params
    assert [entry.arxiv_id for entry in parsed.entries] == ["2401.00001"]
    assert [skip.reason for skip in parsed.skipped] == ["arXiv:cs/0112017 is not there"]


def test_a_query_that_arxiv_does_not_take_is_told_in_its_words(serve: Serve) -> None:
    error = (
        "<entry><id>http://arxiv.org/api/errors#incorrect_id_format</id><title>Error</title><summary>incorrect id format</summary></entry>"
    )
    serve("arxiv", lambda call, number: Reply(atom([error], 1)))
    with pytest.raises(SourceError, match=r"arXiv does not take this query \(incorrect id format\)"):
        fetch("arxiv:ti:(")


def test_an_empty_page_of_arxiv_where_papers_must_follow_is_asked_for_again(serve: Serve) -> None:
    server = serve("arxiv", lambda call, number: Reply(atom([] if number == 1 else [atom_entry(int(call.params["start"]))], 2)))
    assert len(titles("arxiv:gravel")) == 2 and len(server.calls) == 3


@pytest.mark.parametrize("pattern", ["arxiv:", "openalex: ", "hf-papers:", "hf-papers:yesterday"])
def test_a_service_without_a_query_says_what_to_write(pattern: str) -> None:
    with pytest.raises(SourceError, match=r"arxiv:QUERY|openalex:QUERY|hf-papers:2024-05-01"):
        fetch(pattern)


def test_nothing_found_is_said(serve: Serve) -> None:
    serve("arxiv", lambda call, number: Reply(atom([], 0)))
    with pytest.raises(SourceError, match="nothing was found: check the query"):
        fetch("arxiv:gravel")


# Hugging Face


def test_a_day_of_daily_papers_is_read_to_its_last_page(serve: Serve) -> None:
    server = serve(
        "hf-papers", lambda call, number: Reply(json.dumps([daily_paper(n) for n in (range(100) if number == 0 else range(100, 103))]))
    )
    parsed = fetch("hf-papers:2024-05-01").parsed
    assert len(parsed.entries) == 103
    assert {call.params["date"] for call in server.calls} == {"2024-05-01"} and server.calls[0].path == "/api/daily_papers"
    first = parsed.entries[0]
    assert (first.title, first.abstract, first.arxiv_id) == ("Paved 0", "Road 0 is paved. It holds.", "2405.00000")


def test_a_day_that_gives_the_same_page_for_ever_ends(serve: Serve) -> None:
    server = serve("hf-papers", lambda call, number: Reply(json.dumps([daily_paper(n) for n in range(100)])))
    assert len(titles("hf-papers:2024-05-01")) == 100 and len(server.calls) == 2


# OpenAlex


def test_openalex_is_asked_page_by_page_and_says_who_asks(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENALEX_EMAIL", "ann@example.org")
    monkeypatch.setenv("OPENALEX_API_KEY", "secret")

    def answer(call: Call, number: int) -> Reply:
        page = int(call.params["page"])
        works = [work(n, abstract=n != 7) for n in range((page - 1) * 100, min(130, page * 100))]
        return Reply(json.dumps({"meta": {"count": 130, "page": page, "per_page": 100}, "results": works, "group_by": []}))

    server = serve("openalex", answer)
    parsed = fetch("openalex:road works").parsed
    assert (len(parsed.entries), len(parsed.without_abstract)) == (129, 1)
    assert {(call.path, call.params["search"], call.params["mailto"]) for call in server.calls} == {
        ("/works", "road works", "ann@example.org")
    }
    assert {call.headers["authorization"] for call in server.calls} == {"Bearer secret"}
    first = parsed.entries[0]
    assert (first.abstract, first.doi, first.venue, first.date) == (
        "Road 0 holds for years.",
        "10.1000/road.0",
        "Journal of Roads",
        "2023-04-05",
    )


def test_openalex_without_a_key_says_that_one_is_free(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENALEX_API_KEY", raising=False)
    serve("openalex", lambda call, number: Reply('{"error": "Rate limit exceeded"}', 429, {"Retry-After": "40000"}))
    with pytest.raises(SourceError, match=r"OPENALEX_API_KEY is not set: a free key lets more calls pass"):
        fetch("openalex:gravel")


# Zotero


COLLECTIONS = [
    {"key": "COLLAAAA", "data": {"key": "COLLAAAA", "name": "Roads", "parentCollection": False}},
    {"key": "COLLBBBB", "data": {"key": "COLLBBBB", "name": "Gravel", "parentCollection": "COLLAAAA"}},
]


def zotero(call: Call, number: int) -> Reply:
    items = [item(n, ["COLLAAAA"] if n < 150 else ["COLLBBBB"], ["own"] if n % 2 else []) for n in range(160)]
    items.append(item(999, [], [], "attachment"))
    if call.path.endswith("/collections"):
        items = COLLECTIONS
    elif "/collections/" in call.path:
        items = [each for each in items if call.path.split("/")[-3] in each["data"]["collections"]]
    elif tag := call.params.get("tag"):
        items = [each for each in items if {"tag": tag} in each["data"]["tags"]]
    start = int(call.params["start"])
    return Reply(json.dumps(items[start : start + int(call.params["limit"])]), headers={"Total-Results": str(len(items))})


def test_the_zotero_of_this_machine_gives_its_whole_library_with_collections_and_tags(serve: Serve) -> None:
    server = serve("zotero", zotero)
    parsed = fetch("zotero:").parsed
    assert len(parsed.entries) == 160 and not parsed.partial
    assert {call.path for call in server.calls} == {"/api/users/0/collections", "/api/users/0/items/top"}
    assert not any("authorization" in call.headers for call in server.calls)
    by_title = {entry.title: entry for entry in parsed.entries}
    assert set(by_title["Kept paper 1"].tags) == {"own", "Roads"} and by_title["Kept paper 1"].doi == "10.1000/kept.1"
    assert by_title["Kept paper 1"].authors == ("Stone, Ann",)


@pytest.mark.parametrize(("query", "count"), [("Roads", 160), ("gravel", 10), ("COLLBBBB", 10), ("own", 80)])
def test_a_collection_with_all_below_it_or_a_tag_can_be_asked_for(serve: Serve, query: str, count: int) -> None:
    serve("zotero", zotero)
    assert len(titles(f"zotero:{query}")) == count


def test_a_collection_that_is_not_there_is_said_with_those_that_are(serve: Serve) -> None:
    serve("zotero", zotero)
    with pytest.raises(SourceError, match="no collection and no tag is called “Rods”: collections are Gravel, Roads"):
        fetch("zotero:Rods")


def test_a_zotero_that_is_not_running_is_said_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setattr(registry, "SERVICES", tuple(replace(each, base=base) for each in registry.SERVICES))
    monkeypatch.setattr(web.Web, "_wait", lambda *_: pytest.fail("it was tried again"))
    with pytest.raises(
        SourceError, match=r"is it running\? start Zotero, and allow it under Edit → Settings → Advanced → “Allow other applic"
    ):
        fetch("zotero:")


def test_a_zotero_that_allows_no_other_program_is_said_with_the_way_out(serve: Serve) -> None:
    serve("zotero", lambda call, number: Reply("Local API is not enabled", 403))
    with pytest.raises(SourceError, match="Zotero refuses: start Zotero, and allow it under"):
        fetch("zotero:")


def test_a_library_at_zotero_org_is_asked_with_the_key_of_the_environment(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOTERO_API_KEY", "secret")
    server = serve("zotero", zotero)
    assert len(titles("zotero:users/123")) == 160
    assert len(titles("zotero:groups/456/Gravel")) == 10
    assert {call.path for call in server.calls} >= {"/users/123/items/top", "/groups/456/collections/COLLBBBB/items/top"}
    assert {(call.headers["authorization"], call.headers["zotero-api-version"]) for call in server.calls} == {("Bearer secret", "3")}


def test_a_library_at_zotero_org_that_may_not_be_read_says_which_key_is_wanted(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    serve("zotero", lambda call, number: Reply("Forbidden", 403))
    monkeypatch.delenv("ZOTERO_API_KEY", raising=False)
    with pytest.raises(SourceError, match=r"set ZOTERO_API_KEY to a key from zotero\.org/settings/keys"):
        fetch("zotero:users/123")
    monkeypatch.setenv("ZOTERO_API_KEY", "secret")
    with pytest.raises(SourceError, match="the key in ZOTERO_API_KEY may not read this library") as caught:
        fetch("zotero:users/123")
    assert "secret" not in str(caught.value)


def test_zoteros_backoff_is_kept_to(serve: Serve) -> None:
    def answer(call: Call, number: int) -> Reply:
        reply = zotero(call, number)
        return replace(reply, headers={**reply.headers, "Backoff": "1"}) if number == 0 else reply

    server = serve("zotero", answer)
    fetch("zotero:own")
    assert server.calls[1].at - server.calls[0].at >= 0.95
