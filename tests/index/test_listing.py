from __future__ import annotations

import runpy
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index import SourceError
from index.paper import Entry, paper_id_of
from index.sources import expand, read_source
from index.sources.listing import parse
from tests.conftest import LISTINGS

STARTER = Path(__file__).parents[2] / "index" / "starter"
COUNTS = [35, 208, 56, 117, 284]

HEADER = "Get trending papers in your email inbox!\n\nSubscribe\n\n"
PROSE = "We look at pebbles. They are counted, sorted and stored, in that order, by a machine that sees 15 of them a second. It works."


def facts(text: str) -> list[tuple[str, str]]:
    return [(entry.title, entry.abstract) for entry in parse(text, "page").entries]


def skipped(text: str) -> list[tuple[int | None, str]]:
    return [(skip.line, skip.reason) for skip in parse(text, "page").skipped]


# The small listings, the starter library, the real ones


def test_the_compact_listing_holds_two_papers() -> None:
    first, last = read_source(LISTINGS / "compact.txt").entries
    assert (first.title, first.line) == ("TideCache: Reusing Prompt Prefixes Across Chat Sessions", 3)
    assert first.abstract.startswith("Chat servers") and first.abstract.endswith("states are exact.")
    assert r"2.4times and raises throughput by 38\%" in first.abstract  # as the source has it
    assert (last.title, last.line, last.date) == ("Orchard Sort: Ranking Apples with Three Cameras", 5, None)


def test_the_dated_listing_holds_three_papers_with_authors_and_dates() -> None:
    first, second, last = read_source(LISTINGS / "dated.txt").entries
    assert first.title == "Gravel: Stochastic Gradient Descent with Pebbles of Momentum"
    assert (first.author_count, first.date, first.date_inferred, first.comment_count) == (6, "--07-27", "2024-07-27", None)
    assert (second.author_count, second.date, second.date_inferred, second.comment_count) == (12, "2023-10-03", None, 2)
    assert last.title == "Quiet Votes: Aggregating Annotators Without Ground Truth"
    assert (last.author_count, last.date, last.date_inferred) == (None, None, None)
    assert last.abstract.endswith("only two labels an item.")


def test_the_spaced_listing_holds_two_papers_and_repeats_one() -> None:
    first, last = read_source(LISTINGS / "spaced.txt").entries
    assert first.title.startswith("MothNet") and first.abstract.endswith("convolutions stay ahead.")
    assert last.title == read_source(LISTINGS / "compact.txt").entries[0].title


def check_counts(folder: Path) -> None:
    parsed = [read_source(file) for file in expand(str(folder)).files]
    entries = [entry for one in parsed for entry in one.entries]
    assert [len(one.entries) for one in parsed] == COUNTS
    assert [one.skipped for one in parsed] == [()] * 5
    assert len({paper_id_of(entry.title) for entry in entries}) == 640
    assert sum(entry.author_count is not None and entry.date is not None for entry in entries) == 51
    assert all(len(entry.abstract) > 200 for entry in entries)


def test_the_starter_library_holds_700_entries_of_640_papers() -> None:
    check_counts(STARTER)


def test_the_real_listings_hold_700_entries_of_640_papers(corpus: Path) -> None:
    check_counts(corpus)


# What is furniture, and what is not


@pytest.mark.parametrize("banner", ["Get trending papers in your email inbox!", "get trending papers in your email inbox once a day!"])
@pytest.mark.parametrize(
    "heading", ["Daily Papers", "Trending Papers", "byAK and the research community", "by AK and the research community"]
)
def test_the_pages_furniture_is_dropped(banner: str, heading: str) -> None:
    assert facts(f"new\n\n{banner}\n\nSubscribe\n\n{heading}\n\nDec 12\n\nGravel\n\n{PROSE}\n") == [("Gravel", PROSE)]


def test_the_button_is_taken_off_the_first_title_only() -> None:
    page = f"Get trending papers in your email inbox!\nSubscribeGravel\nSubscribe lists are long. {PROSE}\nSubscribers of Pebbles\n{PROSE}"
    assert facts(page) == [("Gravel", f"Subscribe lists are long. {PROSE}"), ("Subscribers of Pebbles", PROSE)]


def test_a_first_title_that_begins_like_the_button_is_kept() -> None:
    assert facts(f"{HEADER}Subscribe or Not\n\n{PROSE}") == [("Subscribe or Not", PROSE)]
    assert facts(f"Subscribe or Not\n{PROSE}") == [("Subscribe or Not", PROSE)]


@pytest.mark.parametrize("title", ["New", "Newton", "Subscriptions", "Dec 12 Revisited", "Daily Papers Considered Harmful", "Is it? Yes!"])
def test_a_title_that_only_resembles_furniture_is_kept(title: str) -> None:
    assert facts(f"{HEADER}{title}\n\n{PROSE}\n\nGravel\n\n{PROSE}") == [(title, PROSE), ("Gravel", PROSE)]


@pytest.mark.parametrize(
    "opening",
    [
        "Subscribe now. ",
        "New. ",
        "Dec 12 was cold. ",
        "• 6 authors wrote this. ",
        "Get trending papers in your email inbox, they said. ",
        "· ",
    ],
)
def test_an_abstract_that_opens_like_furniture_is_kept(opening: str) -> None:
    assert facts(f"{HEADER}Gravel\n\n{opening}{PROSE}\n\nMoth\n\n{PROSE}") == [("Gravel", f"{opening}{PROSE}"), ("Moth", PROSE)]


def test_pages_saved_one_below_the_other_are_all_read_and_page_dates_date_no_paper() -> None:
    page = f"new\n\n{HEADER}Daily Papers\n\nDec 12\n\n%s\n\n{PROSE}\n"
    entries = parse(page % "Gravel" + page % "Moth", "page").entries
    assert [(entry.title, entry.date) for entry in entries] == [("Gravel", None), ("Moth", None)]


# Ways that text is written


def test_line_ends_byte_order_marks_and_trailing_spaces_do_not_matter(tmp_path: Path) -> None:
    plain = (LISTINGS / "dated.txt").read_text()
    for number, variant in enumerate(
        [plain.replace("\n", "\r\n"), plain.replace("\n", "\r"), "\ufeff" + plain, plain.replace("\n", "  \t\n"), plain.rstrip("\n")]
    ):
        file = tmp_path / f"{number}.txt"
        file.write_bytes(variant.encode())
        assert read_source(file).entries == read_source(LISTINGS / "dated.txt").entries


@pytest.mark.parametrize("inner", ["\u2028", "\u0085", "\x0c", "\u00a0", "\t"])
def test_only_line_ends_end_a_line(inner: str) -> None:
    (entry,) = parse(f"\nGravel and Its Weight\n{PROSE}{inner}{PROSE}", "page").entries
    assert (entry.title, entry.abstract, entry.line) == ("Gravel and Its Weight", f"{PROSE} {PROSE}", 2)


@pytest.mark.parametrize(
    "paragraph", [PROSE, "Code is at the usual place.", "Code: https://example.org/gravel", "It is said to be “good enough.”", "x" * 301]
)
@pytest.mark.parametrize("details", ["", "  • 6 authors\n·\nJul 27\n\n"])
def test_an_abstract_of_several_paragraphs_is_one(paragraph: str, details: str) -> None:
    entries = parse(f"{HEADER}Gravel\n\n{PROSE}\n\n{paragraph}\n\n{details}Moth\n\n{PROSE}", "page").entries
    assert [(entry.title, entry.abstract) for entry in entries] == [("Gravel", f"{PROSE} {paragraph}"), ("Moth", PROSE)]
    assert entries[0].date == ("--07-27" if details else None)


@pytest.mark.parametrize("abstract", ["It works.", "It works!", "A short remark without its stop"])
def test_a_short_abstract_is_one(abstract: str) -> None:
    (entry,) = parse(f"{HEADER}Gravel\n\n{abstract}\n\n  • 6 authors\n·\nJul 27", "page").entries
    assert (entry.abstract, entry.author_count) == (abstract, 6)


def test_a_long_title_of_several_questions_is_a_title() -> None:
    title = f"What Do Pebbles Know? Where Do They Go? {'An Investigation into Gravel and Sand ' * 3}vs. Rocks, Is It Worth It?"
    assert facts(f"Gravel on Beaches\n{PROSE} {PROSE}\n{title}\n{PROSE} {PROSE}") == [
        ("Gravel on Beaches", f"{PROSE} {PROSE}"),
        (title, f"{PROSE} {PROSE}"),
    ]


def test_a_date_may_lack_its_year_and_carry_comments() -> None:
    pages = {"Jul 27": "--07-27", "Feb 29": "--02-29", "Oct 3, 2023": "2023-10-03", "Jan  1, 2022  14": "2022-01-01"}
    entries = parse("\n".join(f"T{number}\n{PROSE}\n• 1,024 authors\n·\n{date}" for number, date in enumerate(pages)), "page").entries
    assert [entry.date for entry in entries] == list(pages.values())
    assert [entry.date_inferred for entry in entries] == ["2024-07-27", "2024-02-29", None, None]
    assert [entry.comment_count for entry in entries] == [None, None, None, 14]
    assert {entry.author_count for entry in entries} == {1024}


def test_a_day_that_the_inferred_year_lacks_infers_nothing() -> None:
    entries = parse(f"{HEADER}A\n{PROSE}\nFeb 29\nB\n{PROSE}\nOct 3, 2024", "page").entries
    assert [(entry.date, entry.date_inferred) for entry in entries] == [("--02-29", None), ("2024-10-03", None)]


# What cannot be read


def test_what_is_no_paper_is_told_with_its_line_and_the_others_are_read() -> None:
    page = f"{HEADER}Alone in the Gravel\n\nGravel and Its Weight\n\n{PROSE}\n\n• 6 authors"
    page += f"\n\nMoths at Night\n\n{PROSE}\n\n• 2 authors\n\nLast"
    assert [title for title, _ in facts(page)] == ["Gravel and Its Weight", "Moths at Night"]
    assert skipped(page) == [
        (5, "no abstract follows the title “Alone in the Gravel”"),
        (19, "no abstract follows the title “Last”"),
    ]


def test_a_list_of_titles_below_the_last_paper_is_told_and_makes_no_paper() -> None:
    page = f"{HEADER}Gravel\n\n{PROSE}\n\n• 6 authors\n\n" + "\n\n".join(f"Shelf of Moths {number}" for number in range(5))
    assert facts(page) == [("Gravel", PROSE)]
    assert skipped(page)


def test_papers_of_one_title_are_several_papers() -> None:
    told = [("Editorial", f"{name} {PROSE}") for name in ("Sand.", "Mud.", "Clay.")]
    assert facts(HEADER + "\n".join("\n".join(one) for one in told)) == told


def test_nothing_is_taken_where_more_is_lost_than_read() -> None:
    with pytest.raises(SourceError, match=r"only 131 of \d+ characters are titles with abstracts, so nothing is taken"):
        parse(f"{PROSE}\n\nAlone\n\nGravel\n\n{PROSE}\n\n• 6 authors\n\n{PROSE}\n\nLast", "page")


@pytest.mark.parametrize("text", ["just a line", "one\ntwo\nthree", HEADER, PROSE])
def test_a_text_without_a_paper_is_refused(text: str) -> None:
    with pytest.raises(SourceError, match=r"page: no paper found: a listing has a title on one line and its abstract on the next"):
        parse(text, "page")


# What is no listing


@pytest.mark.parametrize(
    ("text", "looks"),
    [
        ("My shelf\nRun it twice to fill it. It needs a key.\n", "prose"),
        ("TY  - JOUR\nTI  - Gravel\nAB  - We weigh it.\nER  -\n", "RIS"),
        ("PMID- 1\nTI  - Gravel\n", "MEDLINE"),
        ("@article{gravel,\n  title = {Gravel},\n", "BibTeX"),
        ('{"title": "Gravel", "abstract"', "JSON"),
        ("<papers><paper>Gravel", "XML"),
        ("".join(f"def weigh{n}(stone):\n    return stone + {n};\n\n" for n in range(9)), "source code"),
        ("".join(f"2024-01-0{n} 12:00:0{n} the sieve started again\n" for n in range(9)), "a log"),
        (f"Gravel Licence of the Shore\n\nPermission is hereby granted to weigh gravel. {PROSE}\n", "a licence"),
        (
            "Filling the Sieve\n\nYou should put your gravel into the sieve. Please close your door first.\n\n"
            "Cleaning the Sieve\n\nYou clean your sieve with a brush. You shall not use water.\n",
            "prose",
        ),
    ],
)
def test_what_is_no_list_of_papers_is_refused_by_name(text: str, looks: str) -> None:
    with pytest.raises(SourceError, match="export the papers as BibTeX, RIS or CSV, or save the page as text") as caught:
        parse(text, "page")
    assert looks in caught.value.reason or "no paper found" in caught.value.reason


@pytest.mark.parametrize(
    "path", sorted(Path("/usr/share/common-licenses").glob("*"))[:20] or [pytest.param(None, marks=pytest.mark.skip("no licences here"))]
)
def test_a_licence_of_this_machine_holds_no_paper(path: Path) -> None:
    with pytest.raises(SourceError):
        parse(path.read_text(errors="replace"), "licence")


@pytest.mark.parametrize(
    "hostile",
    [
        "• " + "9" * 5000 + " authors",
        "." * 100_000,
        "{" * 20_000 + "}" * 20_000,
        "[" * 50_000 + "](https://example.org)",
        "[a](https://" * 5000,
        "<!-- a -->\n" * 40,
        "**" * 20_000,
        "Jane Doe, " * 5000,
        "1. " * 20_000,
        "\\" * 20_000,
        "\n" * 100_000,
    ],
)
@pytest.mark.timeout(60)
def test_no_line_hangs_the_reader_and_the_paper_before_it_is_read(hostile: str) -> None:
    try:
        entries = parse(f"{HEADER}Gravel and Its Weight\n\n{PROSE}\n\n• 6 authors\n\n{hostile}", "page").entries
    except SourceError as error:
        assert "so nothing is taken" in str(error)
    else:
        assert (entries[0].title, entries[0].abstract) == ("Gravel and Its Weight", PROSE)


# Whatever the page

WORD = st.text("abcdefghijklmnopqrstuvwxyzéλ0123456789-", min_size=1, max_size=12)
TITLE = st.lists(WORD, min_size=1, max_size=12).map(lambda words: f"The {' '.join(words)}"[:200])
SENTENCE = st.lists(WORD, min_size=12, max_size=20).map(lambda words: f"We {' '.join(words)}.")
ABSTRACT = st.lists(SENTENCE, min_size=5, max_size=6).map(" ".join)
DATE = st.one_of(
    st.none(), st.dates().map(lambda day: (day.month, day.day, None)), st.dates().map(lambda day: (day.month, day.day, day.year))
)
ENTRY = st.tuples(TITLE, ABSTRACT, st.one_of(st.none(), st.integers(1, 5000)), DATE, st.one_of(st.none(), st.integers(1, 99)))
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
Told = tuple[str, str, int | None, tuple[int, int, int | None] | None, int | None]


Rendered = Callable[[list[tuple[str, str]]], str]


def rendered(sep: str, width: int, mark: str, authors: bool, identifier: bool, ending: str) -> Rendered:
    """One way that a page is written down."""

    def wrapped(text: str) -> str:
        return "\n".join(textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)) if width else text

    def entry(number: int, title: str, abstract: str) -> str:
        lines = [wrapped(mark.format(number) + title)]
        lines += ["Mara Stone, Ada Reed, Y. Moth"] if authors else []
        lines += [f"arXiv:2401.{number:05}"] if identifier else []
        return sep.join([*lines, wrapped(abstract)]) + ending

    return lambda told: "\n\n".join(entry(number, *one) for number, one in enumerate(told, 1))


REAL = [
    (
        f"{name} {what}",
        f"{name} is used widely, but it is slow on wet {what.lower()}. We present a method that needs {number} minutes instead of an hour. "
        f"It is tested on {number * 7} beaches and never failed. The code is available on request.",
    )
    for number, (name, what) in enumerate(
        zip(
            ["Sieving", "Fast Sorting of Pebbles for", "Is Weighing All You Need?", "Learning to Count", "MothNet: Catching Light in"] * 3,
            ["Gravel", "the Sands of Northern Shores", "A Study of Shells", "Driftwood with Few Labels", "Very Dark Rooms"] * 3,
            strict=True,
        ),
        2,
    )
]
LAYOUT = st.builds(
    rendered,
    sep=st.sampled_from(["\n", "\n\n"]),
    width=st.sampled_from([0, 0, 60, 80]),
    mark=st.sampled_from(["", "", "- ", "### ", "{}. "]),
    authors=st.booleans(),
    identifier=st.booleans(),
    ending=st.sampled_from(["", "\n  • 6 authors\n·\nJul 27"]),
)


def check_layout(told: list[tuple[str, str]], layout: Rendered) -> None:
    """Whatever comes back is exact; what does not is told."""
    try:
        parsed = parse(layout(told), "page")
    except SourceError:
        return
    assert {(entry.title, entry.abstract) for entry in parsed.entries} <= set(told)
    assert len(parsed.entries) == len(told) or parsed.skipped


MIX = st.lists(st.sampled_from(REAL), min_size=2, max_size=8, unique=True)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(MIX, LAYOUT)
def test_entries_in_any_layout_come_back_exact_or_are_refused(told: list[tuple[str, str]], layout: Rendered) -> None:
    check_layout(told, layout)


@pytest.mark.long
@pytest.mark.timeout(3600)
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(MIX, LAYOUT)
def test_entries_in_very_many_layouts_come_back_exact_or_are_refused(told: list[tuple[str, str]], layout: Rendered) -> None:
    check_layout(told, layout)


@pytest.mark.parametrize("sep", ["\n", "\n\n"])
@pytest.mark.parametrize("width", [0, 80])
@pytest.mark.parametrize("mark", ["", "- ", "### ", "{}. "])
@pytest.mark.parametrize("authors", [False, True])
@pytest.mark.parametrize("ending", ["", "\n  • 6 authors\n·\nJul 27"])
def test_each_usual_layout_is_read(sep: str, width: int, mark: str, authors: bool, ending: str) -> None:
    entries = parse(rendered(sep, width, mark, authors, False, ending)(REAL[:5]), "page").entries
    assert [(entry.title, entry.abstract) for entry in entries] == REAL[:5]
    assert all(entry.authors == (("Mara Stone", "Ada Reed", "Y. Moth") if authors else ()) for entry in entries)


@pytest.mark.long
def test_the_real_listings_come_back_from_every_rendering(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = corpus.parent / "cases" / "mutate.py"
    if not script.exists():
        pytest.skip("no renderings here")
    monkeypatch.setattr("sys.argv", [str(script), str(corpus), str(tmp_path / "out")])
    renderings = runpy.run_path(str(script))
    for name, render in renderings["M"].items():
        for file, entries in renderings["truth"].items():
            text = render(file)
            if isinstance(text, bytes):
                continue  # other encodings are no matter of a format
            lost = {entry.paper_id for entry in entries} - {entry.paper_id for entry in parse(text, name).entries}
            assert len(lost) <= (0.15 if name.startswith("m12") else 0.03) * len(entries), (name, file)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(ENTRY, min_size=2, max_size=5))
def test_a_dated_page_reads_back_as_written(told: list[Told]) -> None:
    entries = parse(f"new\n\n{HEADER}Dec 12\n\n" + "\n\n".join(written(*one) for one in told), "page").entries
    assert [
        (entry.title, entry.abstract, entry.author_count, entry.date, entry.comment_count) for entry in entries
    ] == [(*one[:3], iso(one[3]), one[4] if one[3] else None) for one in told]  # fmt: skip


def written(title: str, abstract: str, authors: int | None, date: tuple[int, int, int | None] | None, comments: int | None) -> str:
    lines = [title, "", abstract, ""]
    if authors is not None:
        lines += [f"  • {authors} author{'s' * (authors > 1)}", "·"]
    if date is not None:
        month, day, year = date
        lines.append(f"{MONTHS[month - 1]} {day}" + (f", {year:04}" if year else "") + (f" {comments}" if comments else ""))
    return "\n".join(lines)


def iso(date: tuple[int, int, int | None] | None) -> str | None:
    if date is None:
        return None
    month, day, year = date
    return f"{year:04}-{month:02}-{day:02}" if year else f"--{month:02}-{day:02}"


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        entries = parse(text, "page").entries
    except SourceError:
        return
    assert all(isinstance(entry, Entry) and entry.title and entry.abstract for entry in entries)


SIGNED = [
    "J. Doe",
    "Doe, J.; Roe, R. B.",
    "Jane Doe et al.",
    "By Jane Doe",
    "Jane A. Doe and Al Roe",
    "Jane Doe, Al van Roe. SoilConf 2023",
    "Doe, J., Roe, R.",
]


@pytest.mark.parametrize("blank", ["", "\n"])
@pytest.mark.parametrize("signed", SIGNED)
@pytest.mark.parametrize("count", [1, 3])
def test_authors_below_a_title_go_neither_to_it_nor_to_the_abstract(signed: str, blank: str, count: int) -> None:
    told = [(f"On {kind} That Moves in Winter", f"We found {kind} everywhere. {PROSE}") for kind in ("Gravel", "Sand", "Mud")][:count]
    page = "\n".join(f"{title}\n{blank}{signed}\n{blank}{abstract}\n{blank}" for title, abstract in told)
    entries = parse(page, "page").entries
    assert [(entry.title, entry.abstract) for entry in entries] == told
    assert all(entry.authors and "et al" not in " ".join(entry.authors) for entry in entries)


@pytest.mark.parametrize("title", ["Layer Normalization", "Local and Global Gravel Trade-offs", "Safe Mud and Brave Sand"])
def test_a_title_that_could_be_names_is_a_title(title: str) -> None:
    told = [("On gravel in winter", PROSE), (title, PROSE), ("On sand in spring", PROSE)]
    assert facts(HEADER + "\n".join("\n".join(one) for one in told)) == told
