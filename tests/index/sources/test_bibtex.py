from __future__ import annotations

import time

import pytest

from index.errors import SourceError
from index.paper import Entry
from index.sources.base import Parsed
from index.sources.bibtex import parse, recognise

ZOTERO = """
@article{doe_glass_2021,
	title = {Glass that heals: a study of \\textit{self}-repair in {CaO}--{SiO}$_{\\textrm{2}}$},
	volume = {3},
	url = {https://journal.example.org/a_b?x=1\\&y=2},
	doi = {10.1000/GLASS.7},
	abstract = {We heat 5\\% of the panes \\& cool the rest.

They heal in 3 days.},
	journal = {Journal of Panes},
	author = {Doe, Jane and M{\\"u}ller, {\\'E}mile and {The Glass Group}},
	month = mar,
	year = {2021},
	keywords = {glass, healing},
}
"""

BETTER_BIBTEX = """@unpublished{roe2016,
  title = {Keeping {{Open Access}} Open in {{Göttingen}}},
  author = {Roe, Richard and family=Berg, given=Jan, prefix=van den},
  date = {2016-02-15},
  eprint = {2003.11651v2},
  eprinttype = {arxiv},
  abstract = {A talk given in G\\&ouml;ttingen.},
  keywords = {DOAB,open access}
}
"""

JABREF = """% Encoding: UTF-8

@Comment{jabref-meta: databaseType:bibtex;}

@Article{Poe2009,
  Title                    = {Wide titles that wrap
 over lines},
  Author                   = {Ann Poe and Ludwig van Loon},
  Year                     = {2009},
  Month                    = {MAR},
  Abstract                 = {It wraps,
 too.},
  Groups                   = {Sensors, To read},
  Pmid                     = {9653189},
  Timestamp                = {2010.04.15}
}

@comment{jabref-meta: groupstree:
0 AllEntriesGroup:;
1 ExplicitGroup:Copper\\;0\\;Poe20
09\\;Other_1\\;;
}
"""


def papers(text: str) -> tuple[Entry, ...]:
    parsed = parse(text, "lib.bib")
    return tuple(sorted((*parsed.entries, *parsed.without_abstract), key=lambda entry: entry.line))


def only(text: str) -> Entry:
    (entry,) = papers(text)
    return entry


def field(written: str) -> Entry:
    return only(f"@article{{k, title = {{T}}, {written}}}")


def test_zoteros_bibtex_is_read() -> None:
    assert recognise(ZOTERO)
    assert only(ZOTERO) == Entry(
        "Glass that heals: a study of self-repair in CaO–SiO2",
        "We heat 5% of the panes & cool the rest. They heal in 3 days.",
        2,
        date="2021-03",
        authors=("Doe, Jane", "Müller, Émile", "The Glass Group"),
        doi="10.1000/glass.7",
        venue="Journal of Panes",
        url="https://journal.example.org/a_b?x=1&y=2",
        keywords=("glass", "healing"),
    )


def test_better_bibtex_is_read() -> None:
    assert recognise(BETTER_BIBTEX)
    assert only(BETTER_BIBTEX) == Entry(
        "Keeping Open Access Open in Göttingen",
        "A talk given in Göttingen.",
        1,
        date="2016-02-15",
        authors=("Roe, Richard", "van den Berg, Jan"),
        arxiv_id="2003.11651",
        keywords=("DOAB", "open access"),
    )


def test_jabrefs_file_is_read_with_its_groups() -> None:
    assert recognise(JABREF)
    assert only(JABREF) == Entry(
        "Wide titles that wrap over lines",
        "It wraps, too.",
        5,
        date="2009-03",
        authors=("Poe, Ann", "van Loon, Ludwig"),
        pmid="9653189",
        tags=("Sensors", "To read", "Copper"),
    )


def test_mendeleys_tags_are_tags() -> None:
    entry = field("mendeley-tags = {mine,yours}, mendeley-groups = {Thesis}, arxivId = {2401.01234}, archivePrefix = {arXiv}")
    assert entry.tags == ("mine", "yours", "Thesis") and entry.arxiv_id == "2401.01234"


def test_macros_and_concatenation_are_put_together() -> None:
    text = '@string{pr = "Phys. " # "Rev."}\n@article(k, title = "On {"}q{"} (x)", journal = PR # { B}, month = "10~" # jan, year = 2001)'
    entry = only(text)
    assert (entry.title, entry.venue, entry.date) == ('On "q" (x)', "Phys. Rev. B", "2001-01-10")


def test_an_entry_takes_over_from_its_volume_what_it_lacks() -> None:
    text = "@inproceedings{a, title={A}, crossref={V}}\n@inproceedings{b, title={B}, year=2001, crossref={v}}\n"
    text += "@proceedings{v, title={Proc. V}, year=1999}"
    first, second, volume = papers(text)
    assert [(one.venue, one.date) for one in (first, second)] == [("Proc. V", "1999"), ("Proc. V", "2001")]
    assert volume.title == "Proc. V"


@pytest.mark.parametrize(
    ("author", "names"),
    [
        ("Doe, Jane AND Roe, R.", ("Doe, Jane", "Roe, R.")),
        ("Ford, Jr., Henry", ("Ford, Henry, Jr.",)),
        ("{Barnes and Noble} and others", ("Barnes and Noble",)),
        ("{Doe, Jane C} and {Roe, R}", ("Doe, Jane C", "Roe, R")),
        ("Jean-Paul {Du Bois}", ("Du Bois, Jean-Paul",)),
        ("J.~R. R. Tolk{\\'i}en", ("Tolkíen, J. R. R.",)),
        ("Aristotle", ("Aristotle",)),
        ("Stanis{\\l}aw\n Mrowec", ("Mrowec, Stanisław",)),
    ],
)
def test_names_are_told_apart_as_bibtex_does(author: str, names: tuple[str, ...]) -> None:
    assert field(f"author = {{{author}}}").authors == names


@pytest.mark.parametrize(
    ("written", "date"),
    [
        ("date = {2010/2012}", "2010"),
        ("date = {2013-10-30T11:20:51-07:00}", "2013-10-30"),
        ("year = 2010, month = 6", "2010-06"),
        ("year = {2010}, month = {June 15}", "2010-06-15"),
        ("year = {in press}", None),
    ],
)
def test_dates_are_read(written: str, date: str | None) -> None:
    assert field(written).date == date


@pytest.mark.parametrize(
    ("written", "identified"),
    [
        ("doi = {10.1000/a\\_b}", "10.1000/a_b"),
        ("url = {https://doi.org/10.1000/x}", "10.1000/x"),
        ("doi = {none}", None),
    ],
)
def test_a_doi_is_read(written: str, identified: str | None) -> None:
    assert field(written).doi == identified


@pytest.mark.parametrize(
    "written", ["eprint = {1803.01234}", "journal = {arXiv preprint arXiv:1803.01234}", "url = {http://arxiv.org/abs/1803.01234}"]
)
def test_an_arxiv_id_is_read(written: str) -> None:
    assert field(written).arxiv_id == "1803.01234"


def test_records_with_one_key_or_none_are_all_kept() -> None:
    assert [one.title for one in papers("@a{k, title={A}}@a{k, title={B}}\n@a{, title={C}}\n@a{\n title={D}}\n@a{title={E}}")] == list(
        "ABCDE"
    )


def titles_and_abstracts(parsed: Parsed) -> list[tuple[str, str]]:
    return [(one.title, one.abstract) for one in sorted((*parsed.entries, *parsed.without_abstract), key=lambda one: one.line)]


@pytest.mark.parametrize(
    "abstract",
    ["{x { y}", "{x } y}", "{x }} y}", '"x { y"', "{x { y"],
)
def test_braces_that_do_not_balance_cost_no_field_and_no_neighbour(abstract: str) -> None:
    one, three = "@a{one, title={One}, abstract={First.}}\n", "@a{three, title={Three}, abstract={Third.}}\n"
    text = f"{one}@a{{two,\n abstract = {abstract},\n title = {{Two}},\n}}\n{three}"
    parsed = parse(text, "lib.bib")
    found = titles_and_abstracts(parsed)
    assert found[0] == ("One", "First.") and found[-1] == ("Three", "Third.")
    assert found[1][0] == "Two" and found[1][1].replace(" ", "") == "xy"
    assert parsed.notes == ("line 2: the braces of abstract do not balance; read up to the next field",)


def test_a_missing_comma_costs_nothing() -> None:
    assert titles_and_abstracts(parse("@a{k,\n title={A}\n abstract={B.}}\n@a{l\n title={C}}", "x")) == [("A", "B."), ("C", "")]


def test_a_record_without_a_title_is_told_with_its_line() -> None:
    parsed = parse("\n@a{k, title={A}}\n\n@a{l, year=2000}", "lib.bib")
    assert [(one.line, one.reason) for one in parsed.skipped] == [(4, "the BibTeX record l has no title")]


def test_a_file_without_papers_is_refused() -> None:
    with pytest.raises(SourceError, match=r"lib.bib, line 2: no paper found: the BibTeX record without a key has no title"):
        parse("% nothing\n@Article{,\n abstract = {x},\n}", "lib.bib")


@pytest.mark.parametrize(
    "text",
    [
        "Write to jane@example.org {please} about x = 3.",
        "# Notes\n\nHow to cite:\n\n```bibtex\n@article{k,\n title = {A}\n}\n```\n",
        "@media (max-width: 30em) { a { color: red } }",
        "@decorator\ndef f(x=1): pass",
        "title = {A}\nyear = {2000}",
        '{"a": "@article{k, title={x}}"}',
        "One.\nTwo.\nThree.\nFour.\nFive.\nSix.\n@article{k,\n title={x}}",
    ],
)
def test_other_text_is_not_taken_for_bibtex(text: str) -> None:
    assert not recognise(text)


PARTS = [
    "@a{",
    "\n@a{",
    "{",
    "}",
    '"',
    "a={",
    "\na={",
    "\\",
    ",",
    "#",
    "a=b#",
    "}@a{k,title={x}",
    "\n@comment{",
    "@string{a=",
    " ",
    "$",
    "\\'{",
]


@pytest.mark.parametrize("part", PARTS)
def test_no_text_takes_long(part: str) -> None:
    began = time.process_time()
    for text in (part * 5_000, "@a{k, title={T}, abstract=" + part * 5_000, "@a{k, title={T}, abstract={" + part * 5_000):
        try:
            parse(text, "x")
        except SourceError:
            continue
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    "written",
    [
        "keywords = {clogging\nof filters\ngravel}",
        "keywords = {clogging; of filters;\n  gravel}",
        "author_keywords = {clogging; of filters}, keywords = {gravel}",
        "Author-Keywords = {{clogging; of filters}}, Keywords-Plus = {{gravel}}",
    ],
)
def test_keywords_are_parted_as_their_program_parts_them(written: str) -> None:
    (entry,) = parse(f"@article{{a, title = {{On gravel}}, abstract = {{It is so.}}, {written}}}", "x").entries
    assert entry.keywords == ("clogging", "of filters", "gravel")


def test_commands_of_ads_for_journals_are_names() -> None:
    (entry,) = parse("@article{a, title = {On dust}, abstract = {It \\dq{}is\\dq{} so.}, journal = {\\aap}}", "x").entries
    assert entry.venue == "A&A" and entry.abstract == 'It "is" so.'
