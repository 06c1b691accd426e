from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.sources.fields import arxiv_id_of, author_of, authors_of, date_from, date_of, doi_of, keywords_of, plain, pmid_of


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2024-10-01", "2024-10-01"),
        ("2024-10", "2024-10"),
        ("2024", "2024"),
        ("2013-10-30T11:20:51-07:00", "2013-10-30"),
        ("2024///", "2024"),
        ("2024/05//", "2024-05"),
        ("2024/05/07/Spring", "2024-05-07"),
        ("2006 Jan 10", "2006-01-10"),
        ("2006 Mar", "2006-03"),
        ("2011 May-Jun", "2011-05"),
        ("2006 Dec 15-31", "2006-12-15"),
        ("2013 Spring", "2013"),
        ("2013 06 10", "2013-06-10"),
        ("2010   06", "2010-06"),
        ("Jan 10, 2006", "2006-01-10"),
        ("10th of January 2006", "2006-01-10"),
        ("SEPT 2010", "2010-09"),
        ("1. März 2020", "2020-03-01"),
        ("15 août 2019", "2019-08-15"),
        ("Mon, 2 Apr 2007 19:18:42 GMT", "2007-04-02"),
        ("20060220", "2006-02-20"),
        ("1988/1992", "1988"),
        ("2023-24", "2023"),
        ("2010-05/2010-06", "2010-05"),
        ("2020-02-31", "2020-02"),
        ("3/4/2020", "2020"),
        ("23/4/2020", "2020-04-23"),
        ("4/23/2020", "2020-04-23"),
        ("3.4.2020", "2020-04-03"),
        ("11/2010", "2010-11"),
        ("c. 1687", "1687"),
        ("[2006]", "2006"),
        ("--12-12", "--12-12"),
        ("Dec 12", "--12-12"),
        ("in press", None),
        ("Jun", None),
        ("", None),
        ("Magazine 7", None),
        ("99999", None),
    ],
)
def test_a_date_is_as_exact_as_given(text: str, date: str | None) -> None:
    assert date_of(text) == date


@pytest.mark.parametrize(
    ("parts", "date"),
    [
        (("2011", "Jun"), "2011-06"),
        (("2011", "6", "9"), "2011-06-09"),
        (("2011", "10 Jan"), "2011-01-10"),
        (("2011", "MAR-APR"), "2011-03"),
        (("2011", "13"), "2011"),
        (("2011", "Winter"), "2011"),
        (("2011-05-06", "Jun"), "2011-05-06"),
        ((None, "Jun"), None),
    ],
)
def test_a_date_is_made_of_its_parts(parts: tuple[str, ...], date: str | None) -> None:
    assert date_from(*parts) == date


@pytest.mark.parametrize(
    ("text", "doi"),
    [
        ("10.1000/XYZ.12", "10.1000/xyz.12"),
        ("https://doi.org/10.1000/xyz", "10.1000/xyz"),
        ("http://dx.doi.org/10.1000%2Fxyz", "10.1000/xyz"),
        ("https://doi-org.proxy.example.edu/10.1000/xyz?download=1", "10.1000/xyz"),
        ("doi: 10.1000/xyz.", "10.1000/xyz"),
        ("10.1000/xyz [doi]", "10.1000/xyz"),
        ("(10.1000/xyz)", "10.1000/xyz"),
        ("10.1002/(SICI)1097(19980815)17:15<1661::AID-SIM968>3.0.CO;2-2", "10.1002/(sici)1097(19980815)17:15<1661::aid-sim968>3.0.co;2-2"),
        ("10.1000/a(b)", "10.1000/a(b)"),
        ("10.1000/", None),
        ("110.1000/xyz", None),
        ("see page 10.5", None),
        ("", None),
    ],
)
def test_a_doi_is_bare_and_in_lower_case(text: str, doi: str | None) -> None:
    assert doi_of(text) == doi


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("2401.01234", "2401.01234"),
        ("2401.01234v3", "2401.01234"),
        ("arXiv:2401.01234 [cs.CL]", "2401.01234"),
        ("2401.01234 [cs.CL]", "2401.01234"),
        ("http://arxiv.org/abs/2401.01234v1", "2401.01234"),
        ("https://arxiv.org/pdf/2401.01234.pdf", "2401.01234"),
        ("https://huggingface.co/papers/2401.01234", "2401.01234"),
        ("10.48550/arXiv.2401.01234", "2401.01234"),
        ("arXiv preprint arXiv:0704.0001", "0704.0001"),
        ("math.GT/0309136", "math/0309136"),
        ("https://arxiv.org/abs/hep-th/9901001v2", "hep-th/9901001"),
        ("2413.01234", None),
        ("page 2401.01234 of it", None),
        ("10.1000/2401.01234", None),
        ("foo/1234567", None),
    ],
)
def test_an_arxiv_id_is_bare(text: str, number: str | None) -> None:
    assert arxiv_id_of(text) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("16403221", "16403221"),
        ("PMID: 16403221", "16403221"),
        ("PMID:16403221\nPMCID: PMC1", "16403221"),
        ("https://pubmed.ncbi.nlm.nih.gov/16403221/", "16403221"),
        ("https://www.ncbi.nlm.nih.gov/pubmed/16403221", "16403221"),
        ("PMC1373603", None),
        ("123456789", None),
    ],
)
def test_pubmeds_number_is_bare(text: str, number: str | None) -> None:
    assert pmid_of(text) == number


@pytest.mark.parametrize(
    ("text", "authors"),
    [
        ("Doe, Jane; Roe, R.", ("Doe, Jane", "Roe, R.")),
        ("Doe, Jane and Roe, R.", ("Doe, Jane", "Roe, R.")),
        ("Doe, J., Roe, R.", ("Doe, J.", "Roe, R.")),
        ("Doe, J., Roe, R.B., & Poe, E.-A.", ("Doe, J.", "Roe, R.B.", "Poe, E.-A.")),
        ("Doe J., Roe R.", ("Doe J.", "Roe R.")),
        ("Jane Doe, Richard Roe", ("Jane Doe", "Richard Roe")),
        ("Jane Doe, Richard Roe, and Ann Poe", ("Jane Doe", "Richard Roe", "Ann Poe")),
        ("Jane Doe, Richard Roe and Ann Poe", ("Jane Doe", "Richard Roe", "Ann Poe")),
        ("Jane Doe and Richard Roe", ("Jane Doe", "Richard Roe")),
        ("van der Berg, Jan", ("van der Berg, Jan",)),
        ("Jane Doe", ("Jane Doe",)),
        ("Doe, Jane (57203000100); Roe, R. (0000-0002-1825-009X)", ("Doe, Jane", "Roe, R.")),
        ("Doe, Jane and others", ("Doe, Jane",)),
        ("Doe, J.; et al.", ("Doe, J.",)),
        ("Jane Doe\nRichard Roe", ("Jane Doe", "Richard Roe")),
        ("A. Sandoval, C.-P. Yuan", ("A. Sandoval", "C.-P. Yuan")),
        (" ;; ", ()),
    ],
)
def test_authors_are_told_apart(text: str, authors: tuple[str, ...]) -> None:
    assert authors_of(text) == authors


def test_a_name_is_cleaned() -> None:
    assert author_of("  Doe,\n Jane &amp; Sons, ") == "Doe, Jane & Sons"
    assert author_of("2020") == ""


@pytest.mark.parametrize(
    ("text", "keywords"),
    [
        ("a; b;a ;B", ("a", "b")),
        ("Action, physiology; Animals", ("Action, physiology", "Animals")),
        ("one, two (three, four), five", ("one", "two (three, four)", "five")),
        ("one\ntwo, three\n", ("one", "two, three")),
        ("", ()),
    ],
)
def test_keywords_are_told_apart(text: str, keywords: tuple[str, ...]) -> None:
    assert keywords_of(text) == keywords


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<i>In vivo</i> work &amp; play&nbsp;of <b>mice</b>", "In vivo work & play of mice"),
        ("&amp;lt;i&amp;gt;E. coli&amp;lt;/i&amp;gt;", "E. coli"),
        (
            "<jats:title>Abstract</jats:title><jats:p>One <jats:italic>x</jats:italic>s.</jats:p><jats:p>Two.</jats:p>",
            "Abstract One xs. Two.",
        ),
        ("CO<sub>2</sub> and Ca<sup>2+</sup> at 10<sup>6</sup> with x<jats:sub>i</jats:sub>", "CO2 and Ca2+ at 10^6 with xi"),
        ("a < b and c > d, p &lt; 0.05 &gt; q", "a < b and c > d, p < 0.05 > q"),
        ("a <b and c> d, <s> and <mask> stay, x<y>z", "a <b and c> d, <s> and <mask> stay, x<y>z"),
        ('a <a href="http://x.example/?a=b&amp;c">link</a><br/>new', "a link new"),
        ("AT&T; R&D; &unknown;", "AT&T; R&D; &unknown;"),
        ("caf&eacute; &#946;&#x3b2;", "café ββ"),
    ],
)
def test_html_goes_and_mathematics_stays(text: str, words: str) -> None:
    assert plain(text) == words


MARKUP = st.lists(st.sampled_from(["<", ">", "&", ";", "amp", "lt", "i", "/", "sub", "jats:p", " ", "a=b", '"', "#1", "and", ","])).map(
    "".join
)


@given(st.one_of(st.text(), MARKUP))
def test_no_field_makes_a_reader_fail(text: str) -> None:
    for read in (date_of, doi_of, arxiv_id_of, pmid_of, author_of, authors_of, keywords_of, plain):
        read(text)


PARTS = ["<", "<i ", "<i a=", "&", "&amp;", ",", ", and ", "(", "10.1000/", "arxiv:", "9", "<sub>", "<!--", "a b, "]


@pytest.mark.parametrize("part", PARTS)
def test_long_fields_take_no_time(part: str) -> None:
    began = time.process_time()
    for read in (date_of, doi_of, arxiv_id_of, pmid_of, author_of, authors_of, keywords_of, plain):
        read(part * 30_000)
    assert time.process_time() - began < 5
