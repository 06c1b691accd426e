from __future__ import annotations

import csv
import io
import time
from contextlib import suppress

import pytest

from index.errors import SourceError
from index.sources.base import Hints, Parsed
from index.sources.table import FORMAT

GRAVEL = "Gravel filters clear water slowly. They need no power."
SAND = "Sand moves faster than gravel. Wind decides."


def read(text: str, **columns: str) -> Parsed:
    assert FORMAT.recognise(text) or columns
    return FORMAT.parse(text, "papers.csv", Hints(columns))


def table(*rows: list[str], delimiter: str = ",") -> str:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue()


# Which columns


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_the_delimiter_is_found_by_content(delimiter: str) -> None:
    parsed = read(table(["Title", "Abstract", "Year"], ["On gravel", GRAVEL, "2021"], ["On sand", SAND, "2022"], delimiter=delimiter))
    assert [(entry.title, entry.abstract, entry.date) for entry in parsed.entries] == [
        ("On gravel", GRAVEL, "2021"),
        ("On sand", SAND, "2022"),
    ]


@pytest.mark.parametrize(
    "header",
    [
        ["Title", "Abstract Note"],
        ["title", "abstract"],
        ["Article Title", "ABSTRACT"],
        ["Document Title", "Abstract"],
        ["\ufefftitle", "paper_abstract"],
        ["display_name", "abstract"],
        ["paperTitle", "summary"],
        ["Titel", "Zusammenfassung"],
    ],
)
def test_columns_are_known_by_their_usual_names(header: list[str]) -> None:
    parsed = read(table(header, ["On gravel", GRAVEL]))
    assert [(entry.title, entry.abstract) for entry in parsed.entries] == [("On gravel", GRAVEL)]


def test_what_was_taken_is_said() -> None:
    parsed = read(table(["Title", "Abstract Note", "Author", "DOI"], ["On gravel", GRAVEL, "Stone, Ada", "10.1000/G.1"]))
    assert parsed.notes == ("title from column “Title”, abstract from “Abstract Note”, authors from “Author”, doi from “DOI”",)


def test_an_export_of_zotero_keeps_all_that_it_tells() -> None:
    header = "Key,Item Type,Publication Year,Author,Title,Publication Title,DOI,Url,Abstract Note,Date,Manual Tags,Automatic Tags".split(
        ","
    )
    row = ["AB", "journalArticle", "2021", "Stone, Ada; Brook, Bo", "On gravel", "Journal of Filters", "10.1000/G.1", "https://ex.org/1"]
    (entry,) = read(table(header, [*row, GRAVEL, "2021-03-04", "to read; own", "Water; Stone"])).entries
    assert entry.authors == ("Stone, Ada", "Brook, Bo")
    assert (entry.date, entry.venue, entry.doi, entry.url) == ("2021-03-04", "Journal of Filters", "10.1000/g.1", "https://ex.org/1")
    assert (entry.tags, entry.keywords) == (("to read", "own"), ("Water", "Stone"))


def test_an_export_of_scopus_gives_whole_names_without_numbers() -> None:
    header = ["Authors", "Author full names", "Title", "Year", "Source title", "Abstract", "Author Keywords", "Index Keywords", "Source"]
    row = [
        "Stone A.; Brook B.",
        "Stone, Ada (57100001); Brook, Bo (57100002)",
        "On gravel",
        "2021",
        "Filters",
        GRAVEL,
        "gravel",
        "water",
        "Scopus",
    ]
    (entry,) = read(table(header, row)).entries
    assert (entry.authors, entry.venue, entry.keywords) == (("Stone, Ada", "Brook, Bo"), "Filters", ("gravel", "water"))


def test_web_of_science_names_columns_with_two_letters() -> None:
    header = ["PT", "AU", "AF", "TI", "SO", "DE", "ID", "AB", "PD", "PY", "DI", "PM"]
    row = ["J", "Stone, A", "Stone, Ada; Brook, Bo", "On gravel", "FILTERS", "gravel", "WATER", GRAVEL, "MAR 15", "2021", "10.1/x", "77"]
    (entry,) = read(table(header, row, delimiter="\t")).entries
    assert (entry.title, entry.abstract, entry.venue) == ("On gravel", GRAVEL, "FILTERS")
    assert (entry.authors, entry.date, entry.pmid, entry.keywords) == (("Stone, Ada", "Brook, Bo"), "2021-03-15", "77", ("gravel", "WATER"))


def test_a_month_and_a_year_apart_are_one_date() -> None:
    parsed = read(table(["Title", "Abstract", "year", "month"], ["On gravel", GRAVEL, "2021", "5"]))
    assert parsed.entries[0].date == "2021-05"


def test_lists_in_cells_are_lists() -> None:
    parsed = read(table(["title", "abstract", "keywords", "authors"], ["On gravel", GRAVEL, "['a, b', 'c']", '[{"name": "Ada Stone"}]']))
    assert (parsed.entries[0].keywords, parsed.entries[0].authors) == (("a, b", "c"), ("Ada Stone",))


def test_openalex_exports_names_with_dots_and_bars() -> None:
    header = ["id", "doi", "display_name", "publication_date", "authorships.author.display_name", "primary_location.source.display_name"]
    row = ["https://openalex.org/W1", "https://doi.org/10.1000/G.1", "On gravel", "2021-03-04", "Ada Stone|Bo Brook", "Filters"]
    (entry,) = read(table([*header, "abstract"], [*row, GRAVEL])).entries
    assert (entry.doi, entry.date, entry.venue) == ("10.1000/g.1", "2021-03-04", "Filters")
    assert entry.authors == ("Ada Stone", "Bo Brook")


def test_lines_above_the_names_of_columns_are_no_matter() -> None:
    text = '"About the data: Exported on 4 March, criteria: gravel. © A database."\n' + table(
        ["Rank", "Title", "Abstract"], ["1", "On sand", SAND]
    )
    assert [(entry.title, entry.line) for entry in read(text).entries] == [("On sand", 3)]


def test_a_column_that_only_can_hold_abstracts_is_taken_as_such() -> None:
    long = (
        "We filter the water of a river for a year, day by day. "
        "Gravel clears it slowly and needs no power at all. Sand clogs in spring, when snow melts and brings its clay along."
    )
    rows = [[str(n), f"How gravel number {n} filters water", f"{n}. {long}"] for n in range(6)]
    parsed = read(table(["No", "Bezeichnung", "Inhalt"], *rows))
    assert len(parsed.entries) == 6
    assert parsed.notes == ("title from column “Bezeichnung”, abstract from “Inhalt”",)


def test_a_column_can_be_told() -> None:
    text = table(["Name", "Summary text", "Year"], ["On gravel", GRAVEL, "2021"])
    parsed = read(text, title="Name", abstract="Summary text")
    assert [(entry.title, entry.abstract, entry.date) for entry in parsed.entries] == [("On gravel", GRAVEL, "2021")]


def test_an_unknown_column_is_an_error_that_names_those_there_are() -> None:
    with pytest.raises(SourceError, match=r"no column “Titel”; the columns are “Name”, “Summary”"):
        read(table(["Name", "Summary"], ["On gravel", GRAVEL]), title="Titel")


def test_an_unknown_field_is_an_error_that_names_those_there_are() -> None:
    with pytest.raises(SourceError, match="no field “heading”; the fields are title, abstract"):
        read(table(["Name", "Summary"], ["On gravel", GRAVEL]), heading="Name")


def test_a_table_without_a_column_of_titles_is_refused_by_its_columns() -> None:
    with pytest.raises(SourceError, match="no column is known to hold titles; the columns are “gene”, “fold”, “p”"):
        read(table(["gene", "fold", "p"], *[[f"OTX{n}", "2", "0.1"] for n in range(5)]))


# Rows


def test_a_row_without_abstract_is_kept_apart() -> None:
    parsed = read(table(["Title", "Abstract"], ["On gravel", ""], ["On sand", "[No abstract available]"], ["On silt", SAND]))
    assert [entry.title for entry in parsed.without_abstract] == ["On gravel", "On sand"]
    assert [entry.title for entry in parsed.entries] == ["On silt"]


def test_a_table_without_abstracts_says_so() -> None:
    parsed = read(table(["id", "title", "keywords"], ["x", "On gravel", "a; b"]))
    assert (len(parsed.entries), len(parsed.without_abstract)) == (0, 1)
    assert parsed.notes[0].endswith("no column holds abstracts")


def test_a_row_without_title_is_told_with_its_line() -> None:
    parsed = read(table(["Title", "Abstract"], ["On gravel", GRAVEL], ["", SAND]))
    assert [(skip.line, skip.reason) for skip in parsed.skipped] == [(3, "this row has no title")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_row_is_on_the_line_on_which_it_begins(end: str) -> None:
    text = end.join(["Title,Abstract", '"On gravel","First.', 'Second."', "", f'On sand,"{SAND}"', ""])
    parsed = read(text)
    assert [(entry.title, entry.line) for entry in parsed.entries] == [("On gravel", 2), ("On sand", 5)]
    assert parsed.entries[0].abstract == "First. Second."


def test_ragged_rows_are_read() -> None:
    parsed = read(f"Title,Abstract,Year,Venue\nOn gravel,{GRAVEL}\nOn sand,{SAND},2020,Filters,more,and more\n")
    assert [(entry.title, entry.date) for entry in parsed.entries] == [("On gravel", None), ("On sand", "2020")]


def test_a_quote_never_closed_costs_its_own_row() -> None:
    text = (
        f'Title,Abstract,Year\nOn gravel,"{GRAVEL}",2019\nOn mud,"It flows. And stays,2020\nOn sand,"{SAND}",2021\nOn silt,"{SAND}",2022\n'
    )
    parsed = read(text)
    assert [(entry.title, entry.line, entry.date) for entry in parsed.entries] == [
        ("On gravel", 2, "2019"),
        ("On sand", 4, "2021"),
        ("On silt", 5, "2022"),
    ]
    assert [(skip.line, "quote" in skip.reason) for skip in parsed.skipped] == [(3, True)]


def test_a_quote_never_closed_does_not_glue_a_row_of_the_same_width() -> None:
    parsed = read(f'Title,Abstract,Year\nOn mud,"It flows,2020\nOn sand,"{SAND}",2021\n')
    assert [entry.title for entry in parsed.entries] == ["On sand"]


def test_a_quote_never_closed_on_the_last_line_is_told() -> None:
    parsed = read(f'Title,Abstract,Year\nOn sand,"{SAND}",2021\nOn mud,"It flows,2020\n')
    assert ([entry.title for entry in parsed.entries], [skip.line for skip in parsed.skipped]) == (["On sand"], [3])


def test_quotes_within_a_cell_stay_even_where_they_are_not_doubled() -> None:
    parsed = read(f'Title,Abstract,Year\nOn mud,"They say "no, never" here. Often.",2020\nOn sand,"{SAND}",2021\n')
    assert [(entry.abstract, entry.date) for entry in parsed.entries] == [('They say "no, never" here. Often.', "2020"), (SAND, "2021")]


def test_quotes_escaped_by_backslashes_are_read() -> None:
    parsed = read('Title,Abstract,Year\nOn mud,"They say \\"no, never\\" here. Often.",2020\nOn silt,"\\"Yes\\", they say.",2021\n')
    assert [(entry.abstract, entry.date) for entry in parsed.entries] == [
        ('They say "no, never" here. Often.', "2020"),
        ('"Yes", they say.', "2021"),
    ]


def test_a_cell_of_two_million_characters_and_a_nul_are_read() -> None:
    parsed = read(table(["Title", "Abstract"], ["On mud", "long " * 400_000], ["On\0sand", SAND]))
    assert len(parsed.entries[0].abstract) == 1_999_999
    assert parsed.entries[1].title == "On sand"


# What is no table


@pytest.mark.parametrize(
    "text",
    [
        "On gravel\n\nGravel, water, and power. It filters, slowly, and well.\n\nOn sand\n\nSand, too, moves. It does.\n",
        "TY  - JOUR\nTI  - On gravel\nAB  - Slow, sure.\nER  - \n",
        "@article{a,\n title={On gravel, and sand},\n abstract={Slow},\n}\n",
        "Title, abstract and year are what a table should have.\nThis text has none.\n",
        "Licence\n\nPermission is hereby granted, free of charge, to any person, to deal.\n",
        "| Title | Year |\n|---|---|\n| On gravel | 2020 |\n",
        "",
    ],
)
def test_other_texts_are_no_table(text: str) -> None:
    assert not FORMAT.recognise(text)


# Speed


def test_quotes_opened_in_every_row_take_linear_time() -> None:
    def seconds(rows: int) -> float:
        text = "Title,Abstract,Year\n" + 'On mud,"It "flows","and stays,2020\n' * rows
        begun = time.process_time()
        with suppress(SourceError):
            FORMAT.parse(text, "papers.csv")
        return time.process_time() - begun

    seconds(100)
    assert seconds(8_000) < 20 * max(seconds(1_000), 0.02)


def test_tabs_that_part_every_line_alike_need_no_quotes() -> None:
    rows = [["TI", "AB", "SO", "PY"], ['"Hard" gravel', GRAVEL, "Stones", "2020"], ["On sand", f'"Sand" it is. {SAND}', "Stones", "2021"]]
    text = "".join("\t".join(row) + "\n" for row in [*rows, ['"On ""wet"" clay"', f'"{SAND}"', "Stones", "2022"]])
    entries = FORMAT.parse(text, "x").entries
    assert [entry.title for entry in entries] == ['"Hard" gravel', "On sand", 'On "wet" clay']
    assert [entry.abstract for entry in entries] == [GRAVEL, f'"Sand" it is. {SAND}', SAND]


def test_a_column_of_papers_holds_titles_where_no_other_does() -> None:
    text = f"Paper\tLink\tSummary\nOn gravel\thttps://arxiv.org/abs/2405.00001\t{GRAVEL}\n"
    (entry,) = FORMAT.parse(text, "x").entries
    assert (entry.title, entry.abstract, entry.arxiv_id) == ("On gravel", GRAVEL, "2405.00001")
