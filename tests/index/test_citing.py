"""References for other programs: what they read back is what the library knows."""

from __future__ import annotations

import json
from typing import Any

import pytest
import rispy
from bibtexparser.entrypoint import parse_string
from bibtexparser.middlewares import LatexDecodingMiddleware, SeparateCoAuthors

from index import FormatError, Paper, bibliography, link
from index.citing import FORMATS, keys, name_parts


def paper(**told: Any) -> Paper:
    values: dict[str, Any] = {
        "paper_id": "0123456789ab",
        "title": "T",
        "display_title": "Quiet Kettles",
        "abstract": "",
        "raw_abstract": "",
    }
    return Paper(**{**values, **told})


HOSTILE = 'KettleNet: 50% of {all} & $5 \\x ~ a_b^c # "q"'
FULL = paper(
    display_title=HOSTILE,
    abstract="It boils.\r\nER  - \nTY  - BOOK\u2028}\n@article{x,",
    date="2024-05-01",
    authors=("Müller, Anna", "van der Berg, Bo", "World Kettle Organization, Trade and Tea"),
    venue="J. of Tea & Time",
    doi="10.1000/a_b(c)",
    arxiv_id="2401.00001",
    pmid="77",
    url="https://example.org/a_b?c=1&d=%20",
    keywords=("tea",),
    tags=("mine",),
    note="a note",
)


def read_bibtex(text: str) -> list[dict[str, Any]]:
    library = parse_string(text, append_middleware=[SeparateCoAuthors(), LatexDecodingMiddleware()])
    assert not library.failed_blocks
    return [
        {"key": entry.key, "type": entry.entry_type, **{name: field.value for name, field in entry.fields_dict.items()}}
        for entry in library.entries
    ]


def test_bibtex_reads_back_as_it_was() -> None:
    (entry,) = read_bibtex(bibliography([FULL], "bibtex"))
    assert entry["title"].replace("{KettleNet:}", "KettleNet:").replace("ˆ", "^") == HOSTILE  # the decoder's own sign for \\textasciicircum
    assert entry["author"][:2] == ["Müller, Anna", "van der Berg, Bo"] and len(entry["author"]) == 3
    told = {"type": "article", "journal": "J. of Tea & Time", "year": "2024", "date": "2024-05-01", "doi": "10.1000/a_b(c)"}
    told |= {"eprint": "2401.00001", "pmid": "77", "keywords": "tea, mine", "note": "a note"}
    assert {name: entry[name] for name in told} == told
    assert parse_string(bibliography([FULL], "bibtex")).entries[0]["url"] == FULL.url  # a field that is not decoded


@pytest.mark.parametrize("title", ["a } b { c", "{ a", "KettleNet}"])
def test_braces_that_do_not_match_end_no_field(title: str) -> None:
    first, second = read_bibtex(bibliography([paper(display_title=title), FULL], "bibtex"))
    assert first["title"] and second["title"]


def test_names_with_capitals_inside_keep_them() -> None:
    assert "{KettleNet:}" in bibliography([FULL], "bibtex")


def test_ris_reads_back_as_it_was() -> None:
    first, second = rispy.loads(bibliography([FULL, paper()], "ris"))
    assert (first["title"], first["secondary_title"], first["doi"], first["year"]) == (
        HOSTILE,
        "J. of Tea & Time",
        "10.1000/a_b(c)",
        "2024",
    )
    assert first["authors"] == list(FULL.authors) and first["date"] == "2024/05/01/"
    assert first["urls"] == [FULL.url, "https://arxiv.org/abs/2401.00001"] and first["accession_number"] == "77"
    assert first["abstract"] == "It boils. ER - TY - BOOK } @article{x," and first["keywords"] == ["tea", "mine"]
    assert second["title"] == "Quiet Kettles" and "year" not in second


def test_csl_holds_names_date_parts_and_ids() -> None:
    first, second = json.loads(bibliography([FULL, paper(authors=("Kettles",), date="--12-12")], "csl"))
    assert first["author"][:2] == [{"family": "Müller", "given": "Anna"}, {"family": "van der Berg", "given": "Bo"}]
    assert (first["issued"], first["container-title"], first["DOI"]) == (
        {"date-parts": [[2024, 5, 1]]},
        "J. of Tea & Time",
        "10.1000/a_b(c)",
    )
    assert (first["PMID"], first["number"], first["title"]) == ("77", "arXiv:2401.00001", HOSTILE)
    assert second["author"] == [{"literal": "Kettles"}] and "issued" not in second


def test_markdown_is_one_item_a_paper_and_acts_on_nothing() -> None:
    text = bibliography([paper(display_title="[a](javascript:x) *b*\n# c", url="https://example.org/a>b"), FULL], "markdown")
    first, second = text.splitlines()
    assert first == r"- \[a\](javascript:x) \*b\* \# c."
    assert "](<https://example.org/a_b?c=1&d=%20>)" in second


def test_a_key_is_a_papers_own_whatever_else_is_cited() -> None:
    others = [paper(paper_id=f"{number:012x}") for number in range(3)]  # the same but for the last digits of the id
    alone, among = keys([FULL])[0], keys([*others, FULL])
    assert among[-1] == alone and len(set(among)) == 4
    assert alone.startswith("muller2024kettlenet-") and alone.isascii()


def test_no_papers_are_an_empty_bibliography() -> None:
    assert {form: bibliography([], form) for form in FORMATS} == {"bibtex": "", "ris": "", "csl": "[]\n", "markdown": ""}


def test_an_unknown_form_is_refused_with_the_known_ones() -> None:
    with pytest.raises(FormatError, match="choose one of bibtex, ris, csl, markdown"):
        bibliography([FULL], "word")


@pytest.mark.parametrize(
    ("author", "parts"),
    [
        ("Müller, Anna", ("Müller", "Anna")),
        ("Anna Müller", ("Müller", "Anna")),
        ("Ludwig van der Berg", ("van der Berg", "Ludwig")),
        ("Martin King Jr.", ("King Jr.", "Martin")),
        ("OpenAI", ("OpenAI", "")),
        ("", ("", "")),
    ],
)
def test_names_are_told_in_their_parts(author: str, parts: tuple[str, str]) -> None:
    assert name_parts(author) == parts


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ({"url": "https://example.org/p", "doi": "10.1/x"}, "https://example.org/p"),
        ({"url": "javascript:alert(1)", "doi": "10.1/x y"}, "https://doi.org/10.1/x%20y"),
        ({"url": "https://example.org/a b", "arxiv_id": "cs/0112017"}, "https://arxiv.org/abs/cs/0112017"),
        ({"url": 'https://example.org/"onclick=', "pmid": "77"}, "https://pubmed.ncbi.nlm.nih.gov/77/"),
        ({"url": "https://example.org/ü"}, "https://example.org/%C3%BC"),
        ({}, None),
    ],
)
def test_a_link_is_the_sources_own_or_made_of_an_id_and_never_another_protocol(told: dict[str, str], found: str | None) -> None:
    assert link(paper(**told)) == found
