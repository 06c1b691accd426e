"""RIS, MEDLINE, Web of Science and EndNote: what programs write with a tag at the beginning of each line."""

from __future__ import annotations

import pytest

from index.errors import SourceError
from index.paper import Entry
from index.sources import medline, refer, ris, web_of_science
from index.sources.base import Format, Parsed

ZOTERO = """TY  - JOUR
TI  - Glass that heals &amp; <i>lasts</i>
AU  - Doe, Jane
AU  - Roe, R.B.
T2  - Journal of Panes
AB  - We heat panes.
They heal in 3 days.
DA  - 2021/03/04/
PY  - 2021
DO  - 10.1000/GLASS.7
UR  - https://doi.org/10.1000/glass.7
KW  - glass
KW  - healing, slow
J2  - J. Panes
ER  - 

TY  - CONF
T1  - Second of them
N2  - Its abstract.
A1  - Poe, Ann
Y1  - 2019///
JO  - Proc. Panes
UR  - http://arxiv.org/abs/1803.01234v2
L2  - /home/me/file.pdf
ER  - 
"""

ENDNOTE_OF_PUBMED = """

TY  - JOUR
AB  - AIMS: To look.
AN  - 21553931
AU  - Doe, J.
DA  - Jun
DP  - NLM
KW  - Citrus/*chemistry
Disease Models, Animal
PY  - 2011
TI  - A trial of peel
T2  - Clin Peel
UR  - ISI>://WOS:0001
ER  -
"""

NBIB = """
PMID- 16403221
OWN - NLM
DP  - 2006 Mar 1
TI  - A title that wraps
      over lines.
AB  - BACKGROUND: It
      wraps, too.
FAU - Doe, Jane A
AU  - Doe JA
TA  - J Panes
JT  - Journal of panes
MH  - *Software
MH  - Glass/*methods
OT  - healing
AID - S-1-2 [pii]
AID - 10.1000/x-7 [doi]

PMID- 16377612
TI  - No abstract here.
LID - 10.1000/y [doi]
PMID- 3
TI  - Third, with no blank line before it.
AB  - Third.
"""

ISI = """FN Clarivate Analytics Web of Science
VR 1.0
PT J
AU Doe, J
   Roe, R
AF Doe, Jane
   Roe, Richard
TI A title that wraps
   over lines
SO JOURNAL OF PANES
DE glass; slow
   healing
ID HEAT
AB It is (C) 2020
   and wraps.
PD MAR 4
PY 2020
DI 10.1000/z
PM 123456
ER

PT C
AU Poe, A
TI Second
AB Its abstract.
PY 2019
ER

EF
"""

ENW = """%0 Journal Article
%T Glass that heals
%A Doe, Jane
%A Roe, Richard
%J Journal of Panes
%D 2020
%8 March 4
%R 10.1000/z
%X We heat panes.
They heal.
%K glass
healing
%U https://example.org/z

%0 Conference Paper
%T Second
%X Its abstract.
%D 2019
"""

FORMATS = {"ris": ris.FORMAT, "endnote's ris": ris.FORMAT, "nbib": medline.FORMAT, "isi": web_of_science.FORMAT, "enw": refer.FORMAT}
TEXTS = {"ris": ZOTERO, "endnote's ris": ENDNOTE_OF_PUBMED, "nbib": NBIB, "isi": ISI, "enw": ENW}

FIRST = {
    "ris": Entry(
        "Glass that heals & lasts",
        "We heat panes. They heal in 3 days.",
        1,
        date="2021-03-04",
        authors=("Doe, Jane", "Roe, R.B."),
        doi="10.1000/glass.7",
        venue="Journal of Panes",
        url="https://doi.org/10.1000/glass.7",
        keywords=("glass", "healing, slow"),
    ),
    "endnote's ris": Entry(
        "A trial of peel",
        "AIMS: To look.",
        3,
        date="2011-06",
        authors=("Doe, J.",),
        pmid="21553931",
        venue="Clin Peel",
        keywords=("Citrus/chemistry", "Disease Models, Animal"),
    ),
    "nbib": Entry(
        "A title that wraps over lines.",
        "BACKGROUND: It wraps, too.",
        2,
        date="2006-03-01",
        authors=("Doe, Jane A",),
        doi="10.1000/x-7",
        pmid="16403221",
        venue="Journal of panes",
        keywords=("healing", "Software", "Glass/methods"),
    ),
    "isi": Entry(
        "A title that wraps over lines",
        "It is (C) 2020 and wraps.",
        3,
        date="2020-03-04",
        authors=("Doe, Jane", "Roe, Richard"),
        doi="10.1000/z",
        pmid="123456",
        venue="JOURNAL OF PANES",
        keywords=("glass", "slow healing", "HEAT"),
    ),
    "enw": Entry(
        "Glass that heals",
        "We heat panes. They heal.",
        1,
        date="2020-03-04",
        authors=("Doe, Jane", "Roe, Richard"),
        doi="10.1000/z",
        venue="Journal of Panes",
        url="https://example.org/z",
        keywords=("glass", "healing"),
    ),
}


def read(name: str, text: str | None = None) -> Parsed:
    return FORMATS[name].parse(TEXTS[name] if text is None else text, "lib.txt")


@pytest.mark.parametrize("name", TEXTS)
def test_all_that_a_record_tells_is_read(name: str) -> None:
    parsed = read(name)
    assert parsed.entries[0] == FIRST[name] and parsed.skipped == ()


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_the_ends_of_lines_do_not_matter(name: str, end: str) -> None:
    assert read(name, TEXTS[name].replace("\n", end)) == read(name)


@pytest.mark.parametrize("name", TEXTS)
def test_each_is_recognised_by_its_own_format_alone(name: str) -> None:
    known: set[Format] = set(FORMATS.values())
    assert [one.name for one in known if one.recognise("\ufeff" + TEXTS[name])] == [FORMATS[name].name]


def test_ris_of_older_programs_is_read() -> None:
    entry = read("ris").entries[1]
    assert (entry.title, entry.abstract, entry.line) == ("Second of them", "Its abstract.", 17)
    assert (entry.authors, entry.date, entry.venue, entry.arxiv_id) == (("Poe, Ann",), "2019", "Proc. Panes", "1803.01234")


def test_medline_without_an_abstract_is_kept_apart() -> None:
    parsed = read("nbib")
    assert [entry.title for entry in parsed.entries] == ["A title that wraps over lines.", "Third, with no blank line before it."]
    assert [(entry.title, entry.doi) for entry in parsed.without_abstract] == [("No abstract here.", "10.1000/y")]


def test_a_header_before_the_first_ris_record_is_passed_over() -> None:
    text = "Provider: A publisher\nDatabase: Panes\nContent:text/plain; charset=UTF-8\n\n" + ZOTERO
    assert ris.recognise(text) and [entry.line for entry in read("ris", text).entries] == [5, 21]


def test_a_record_that_does_not_end_costs_no_neighbour() -> None:
    parsed = read("ris", ZOTERO.replace("ER  - \n\nTY", "TY", 1))
    assert [entry.abstract for entry in parsed.entries] == ["We heat panes. They heal in 3 days.", "Its abstract."]


def test_a_record_without_title_or_type_is_told_with_its_line() -> None:
    parsed = read("ris", "TY  - JOUR\nAB  - x\nER  - \n\nTI  - Lost\nER  - \n\n" + ZOTERO)
    assert len(parsed.entries) == 2
    assert [(one.line, one.reason.partition(":")[0]) for one in parsed.skipped] == [
        (1, "this RIS record has no title (TI or T1)"),
        (5, "this record does not begin with TY"),
    ]


def test_a_file_without_papers_is_refused() -> None:
    with pytest.raises(SourceError, match="no paper found: this RIS record has no title"):
        read("ris", "TY  - JOUR\nAU  - Doe\nER  - \n")


PROSE = [
    "",
    "TY for reading. AB is a blood group - it is rare.\nER - emergency room - is open.",
    "MIT License\n\nCopyright (c) 2020 Jane Doe\n\nPermission is hereby granted, free of charge, to any person",
    "# 1.2.0\n\n- FIX - a bug\n- ADD - a feature\n\nPT J is a type of train.\n",
    "PMID- is the tag of PubMed's number.\nTI  - is the title.",
    "%0 is a register\n%1 is another",
    "% A comment of LaTeX\n\\documentclass{article}",
    "title,abstract\nTY  - JOUR,x\n",
    '[{"type": "article", "TY": "JOUR"}]',
    "A Title of a Paper\n\nAn abstract stands below it - as in a listing. It has two sentences.\n",
]


@pytest.mark.parametrize("text", PROSE)
def test_other_text_is_not_taken(text: str) -> None:
    assert not any(one.recognise(text) for one in FORMATS.values())


REFWORKS = (
    "RT Journal Article\nSR Electronic\nA1 Doe,Jane\nT1 On gravel\nJF Stones\nYR 2020\nK1 gravel\nAB It is so.\nDO 10.1000/x\nER \n\n" * 2
)
COCHRANE = (
    "Record #1 of 2\nID: CN-01\nAU: Doe J\nAU: Roe R\nTI: On gravel: a trial\nSO: Stones\nYR: 2020\nPM: PUBMED 123\nKY: gravel; sand\n"
    "DOI: 10.1000/x\nAB: It is so.\n\nRecord #2 of 2\nID: CN-02\nTI: On sand\nYR: 2019\nAB: It is not so.\n"
)


def test_refworks_and_cochranes_dialects_of_ris_are_read() -> None:
    assert ris.FORMAT.recognise(REFWORKS) and ris.FORMAT.recognise(COCHRANE)
    first, second = ris.FORMAT.parse(REFWORKS, "x").entries
    assert (first.title, first.abstract, first.date, first.doi, first.venue) == ("On gravel", "It is so.", "2020", "10.1000/x", "Stones")
    assert second.line == 12
    first, second = ris.FORMAT.parse(COCHRANE, "x").entries
    assert (first.title, first.authors, first.date, first.pmid) == ("On gravel: a trial", ("Doe J", "Roe R"), "2020", "123")
    assert (first.keywords, first.doi, second.title, second.abstract, second.line) == (
        ("gravel", "sand"), "10.1000/x", "On sand", "It is not so.", 13,
    )  # fmt: skip
