"""Damage to tables, JSON, feeds, pages and Markdown: no reader crashes or hangs, and what stands beside the damage is read.

In the long run 20,000 texts a property, made by dice of seeds that Hypothesis draws (see `test_fuzz`).
"""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.errors import SourceError
from index.sources import atom, json_records, markdown, table, web_page
from index.sources.base import Format, Parsed

FEW, MANY = 60, 1_000
TEXTS_OF_A_SEED = 20
SEEDS = st.integers(0, 2**64 - 1)
FORMATS = (table.FORMAT, json_records.FORMAT, atom.FORMAT, web_page.FORMAT, markdown.FORMAT)
TITLES = [f"On gravel, number {n}" for n in range(6)]
ABSTRACTS = [f'Gravel "{n}" filters water, slowly and surely.\nIt needs no power; it lasts for {n} hundred years. ' * 3 for n in range(6)]


def as_csv() -> str:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([["Title", "Abstract", "Year", "DOI"], *zip(TITLES, ABSTRACTS, ["2021"] * 6, ["10.1000/x"] * 6, strict=True)])
    return out.getvalue()


def records() -> list[dict[str, object]]:
    return [{"title": title, "abstract": abstract, "year": 2021} for title, abstract in zip(TITLES, ABSTRACTS, strict=True)]


def as_atom() -> str:
    entries = "".join(
        f"<entry><id>http://arxiv.org/abs/2101.0000{n}</id><title>{title}</title><summary>{ABSTRACTS[n]}</summary></entry>\n"
        for n, title in enumerate(TITLES)
    )
    return f'<?xml version="1.0"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n{entries}</feed>'


def as_page() -> str:
    items = "".join(
        f"<dt><a href='/abs/2101.0000{n}'>x</a></dt>\n"
        f"<dd><div class='list-title'>Title: {title}</div><p class='mathjax'>{ABSTRACTS[n]}</p></dd>\n"
        for n, title in enumerate(TITLES)
    )
    return f"<!doctype html><html><body><dl>\n{items}</dl></body></html>"


def as_markdown() -> str:
    return "\n".join(f"## [{title}](https://arxiv.org/abs/2101.0000{n})\n\n{ABSTRACTS[n]}\n" for n, title in enumerate(TITLES))


WHOLE: dict[str, tuple[Format, Callable[[], str]]] = {
    "csv": (table.FORMAT, as_csv),
    "json": (json_records.FORMAT, lambda: json.dumps(records(), indent=1)),
    "json lines": (json_records.FORMAT, lambda: "\n".join(map(json.dumps, records()))),
    "atom": (atom.FORMAT, as_atom),
    "page": (web_page.FORMAT, as_page),
    "markdown": (markdown.FORMAT, as_markdown),
}

HARMFUL = "\0\"'{}[]<>,;|\t\n\r\\&#*_-`: aé\ufeff1"
DAMAGE = st.text(alphabet=HARMFUL, max_size=12)


def read(known: Format, text: str) -> Parsed | None:
    """What is read, or None where the text is refused with a reason."""
    try:
        return known.parse(text, "fuzzed") if known.recognise(text) else None
    except SourceError as error:
        assert error.reason
        return None


@pytest.mark.parametrize("kind", WHOLE)
def test_the_whole_is_read_whole(kind: str) -> None:
    known, write = WHOLE[kind]
    parsed = read(known, write())
    assert parsed is not None
    assert [entry.title for entry in parsed.entries] == TITLES
    assert [entry.abstract for entry in parsed.entries] == [" ".join(abstract.split()) for abstract in ABSTRACTS]


def damaged_text_is_read_or_refused(kind: str, at: float, length: int, damage: str) -> None:
    known, write = WHOLE[kind]
    text = write()
    place = int(at * len(text))
    parsed = read(known, text[:place] + damage + text[place + length :])
    for entry in (*parsed.entries, *parsed.without_abstract) if parsed else ():
        assert entry.title
        assert entry.line >= 1
        (entry.title + entry.abstract).encode()


def damage_in_one_record_spares_the_others(kind: str, damage: str) -> None:
    """The title of the third record is overwritten; of the others at most the one behind it may go with it."""
    known, write = WHOLE[kind]
    parsed = read(known, write().replace(TITLES[2], damage or "x"))
    assert parsed is not None
    found = {entry.title: entry.abstract for entry in parsed.entries}
    for n in (0, 1, 4, 5):
        assert found.get(TITLES[n]) == " ".join(ABSTRACTS[n].split())


def any_text_is_read_or_refused(text: str) -> None:
    for known in FORMATS:
        read(known, text)
        try:
            known.parse(text, "fuzzed")
        except SourceError as error:
            assert error.reason


PIECES = ["# T t\n", "- ", "> ", "[a b c](https://arxiv.org/abs/2101.00001)", "Abstract: ", "title,abstract\n", '"', "\n", "[", "]"]
PIECES += ['{"title": "a", ', '"abstract": "b c"}', "<entry>", "</entry>", "<html>", "arxiv.org", "a,b\n"]
ANY = st.one_of(st.text(max_size=300), st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
KINDS, PLACES = st.sampled_from(sorted(WHOLE)), st.floats(0, 1)
SLOW = [HealthCheck.too_slow]


@settings(max_examples=FEW, deadline=5_000, suppress_health_check=SLOW)
@given(KINDS, PLACES, st.integers(0, 30), DAMAGE)
def test_damaged_text_is_read_or_refused(kind: str, at: float, length: int, damage: str) -> None:
    damaged_text_is_read_or_refused(kind, at, length, damage)


@settings(max_examples=FEW, deadline=5_000, suppress_health_check=SLOW)
@given(st.sampled_from(["csv", "json", "json lines", "atom"]), DAMAGE)
def test_damage_in_one_record_spares_the_others(kind: str, damage: str) -> None:
    damage_in_one_record_spares_the_others(kind, damage)


@settings(max_examples=FEW, deadline=5_000, suppress_health_check=SLOW)
@given(ANY)
def test_any_text_is_read_or_refused(text: str) -> None:
    any_text_is_read_or_refused(text)


def damage_by(dice: random.Random) -> str:
    return "".join(dice.choices(HARMFUL, k=dice.randint(0, 12)))


@pytest.mark.long
@pytest.mark.timeout(3_000)
@settings(max_examples=MANY, deadline=None)
@given(SEEDS)
def test_damaged_text_is_read_or_refused_20_000_times(seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(TEXTS_OF_A_SEED):
        damaged_text_is_read_or_refused(dice.choice(sorted(WHOLE)), dice.random(), dice.randint(0, 30), damage_by(dice))


@pytest.mark.long
@pytest.mark.timeout(3_000)
@settings(max_examples=MANY, deadline=None)
@given(SEEDS)
def test_damage_in_one_record_spares_the_others_20_000_times(seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(TEXTS_OF_A_SEED):
        damage_in_one_record_spares_the_others(dice.choice(["csv", "json", "json lines", "atom"]), damage_by(dice))


@pytest.mark.long
@pytest.mark.timeout(3_000)
@settings(max_examples=MANY, deadline=None)
@given(SEEDS)
def test_any_text_is_read_or_refused_20_000_times(seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(TEXTS_OF_A_SEED):
        any_text_is_read_or_refused("".join(dice.choices(PIECES, k=dice.randint(0, 40))))
