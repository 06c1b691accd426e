"""No text makes a reader of bibliographies fail or hang, and no broken record costs a neighbour.

In the long run every property holds for 20,000 texts a reader: Hypothesis draws a seed, and 20 texts are made of it, since
drawing a text sign by sign takes ten times as long as reading it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.errors import SourceError
from index.sources import bibtex, csl_json, medline, pubmed_xml, refer, reference_xml, ris, web_of_science
from index.sources.base import Format, Parsed

FEW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
MANY = settings(max_examples=1_000, deadline=None, suppress_health_check=list(HealthCheck))
TEXTS_OF_A_SEED = 20
SEEDS = st.integers(0, 2**64 - 1)

RECORDS: dict[Format, Callable[[str], str]] = {
    bibtex.FORMAT: lambda title: (
        f"@article{{key,\n  title = {{{title}}},\n  author = {{Doe, Jane and Roe, R.}},\n  abstract = {{It {{is}} so.}},\n}}\n\n"
    ),
    ris.FORMAT: lambda title: f"TY  - JOUR\nTI  - {title}\nAU  - Doe, Jane\nPY  - 2020\nAB  - It is so.\nER  - \n\n",
    medline.FORMAT: lambda title: f"PMID- 12345\nTI  - {title}\nFAU - Doe, Jane\nDP  - 2020 Jan\nAB  - It is so.\n\n",
    web_of_science.FORMAT: lambda title: f"PT J\nAU Doe, J\nTI {title}\nPY 2020\nAB It is so.\nER\n\n",
    refer.FORMAT: lambda title: f"%0 Journal Article\n%T {title}\n%A Doe, Jane\n%D 2020\n%X It is so.\n\n",
    pubmed_xml.FORMAT: lambda title: (
        f"<PubmedArticle><MedlineCitation><PMID>1</PMID><Article><ArticleTitle>{title}</ArticleTitle>"
        "<Abstract><AbstractText>It is so.</AbstractText></Abstract></Article></MedlineCitation></PubmedArticle>\n"
    ),
    reference_xml.FORMAT: lambda title: (
        f"<record><titles><title>{title}</title></titles><dates><year>2020</year></dates><abstract>It is so.</abstract></record>\n"
    ),
    csl_json.FORMAT: lambda title: json.dumps({"itemType": "book", "title": title, "abstractNote": "It is so.", "date": "2020"}),
}
SIGNS = [*"{}\"'@,=\\#%<>&;:-[] \n\t\0", "\n@", "\nTY  - ", "\nER  - ", "\nPMID- ", "\n%0 ", "\\'", "$", "é", "</", "null"]


def whole(known: Format, records: list[str]) -> str:
    if known is csl_json.FORMAT:
        return "[\n  " + ",\n  ".join(records) + "\n]"
    root = {pubmed_xml.FORMAT: "PubmedArticleSet", reference_xml.FORMAT: "records"}.get(known)
    return f"<{root}>\n{''.join(records)}</{root}>" if root else "".join(records)


def read(known: Format, text: str) -> Parsed:
    try:
        return known.parse(text, "x")
    except SourceError:
        return Parsed(())


@st.composite
def mutated(draw: st.DrawFn, record: str) -> str:
    """A record with a few signs put in, taken out or changed."""
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(record)))
        gone = draw(st.integers(0, 3))
        record = record[:at] + draw(st.sampled_from([*SIGNS, ""])) + record[at + gone :]
    return record


def mutated_by(dice: random.Random, record: str) -> str:
    """The same, by dice."""
    for _ in range(dice.randint(1, 4)):
        at = dice.randint(0, len(record))
        record = record[:at] + dice.choice([*SIGNS, ""]) + record[at + dice.randint(0, 3) :]
    return record


def no_text_fails(known: Format, text: str) -> None:
    known.recognise(text)
    parsed = read(known, text)
    for entry in (*parsed.entries, *parsed.without_abstract):
        assert entry.title and entry.title == " ".join(entry.title.split()) and entry.line >= 1


def neighbours_are_kept(known: Format, broken: str) -> None:
    """What begins before the broken record is read whole; what begins a record of its own behind it is found."""
    records = [RECORDS[known]("First"), RECORDS[known]("Second"), broken, RECORDS[known]("Fourth"), RECORDS[known]("Last")]
    parsed = read(known, whole(known, records))
    found = {entry.title: entry.abstract for entry in (*parsed.entries, *parsed.without_abstract)}
    assert found.get("First") == "It is so." and found.get("Second", "").startswith("It is so.")
    assert found.get("Last") == "It is so."


@pytest.mark.parametrize("known", RECORDS, ids=lambda known: known.name)
@given(data=st.data())
@FEW
def test_no_text_makes_a_reader_fail(known: Format, data: st.DataObject) -> None:
    pieces = st.lists(st.sampled_from([*SIGNS, RECORDS[known]("A")]), max_size=30).map("".join)
    no_text_fails(known, data.draw(st.one_of(st.text(max_size=300), pieces)))


@pytest.mark.parametrize("known", RECORDS, ids=lambda known: known.name)
@given(data=st.data())
@FEW
def test_a_broken_record_costs_no_neighbour(known: Format, data: st.DataObject) -> None:
    neighbours_are_kept(known, data.draw(mutated(RECORDS[known]("Broken"))))


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("known", RECORDS, ids=lambda known: known.name)
@given(seed=SEEDS)
@MANY
def test_no_neighbour_is_lost_over_20_000_records(known: Format, seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(TEXTS_OF_A_SEED):
        neighbours_are_kept(known, mutated_by(dice, RECORDS[known]("Broken")))


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("known", RECORDS, ids=lambda known: known.name)
@given(seed=SEEDS)
@MANY
def test_no_text_of_20_000_makes_a_reader_fail(known: Format, seed: int) -> None:
    dice = random.Random(seed)
    pieces = [*SIGNS, RECORDS[known]("A")]
    for place in range(TEXTS_OF_A_SEED):
        some = (
            dice.choices(pieces, k=dice.randint(0, 30))
            if place % 2
            else [chr(dice.randrange(1, 0xD7FF)) for _ in range(dice.randint(0, 300))]
        )
        no_text_fails(known, "".join(some))
