from __future__ import annotations

import pytest

from index.errors import SourceError
from index.sources.atom import FORMAT
from index.sources.base import Parsed

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n'
    '<link href="http://arxiv.org/api/query?search_query=gravel"/><title>ArXiv Query</title>\n'
)


def entry(number: int, title: str = "On gravel", more: str = "") -> str:
    return f"""<entry>
<id>http://arxiv.org/abs/2101.0000{number}v2</id>
<published>2021-03-04T18:00:00Z</published><updated>2021-04-04T18:00:00Z</updated>
<title>{title}</title>
<summary>  Gravel filters x &lt; y water.
It needs no power. </summary>
<author><name>Ada Stone</name></author><author><name>Bo Brook</name></author>
<arxiv:doi xmlns:arxiv="http://arxiv.org/schemas/atom">10.1000/G.{number}</arxiv:doi>
<arxiv:journal_ref xmlns:arxiv="http://arxiv.org/schemas/atom">Filters 3</arxiv:journal_ref>
<link href="http://arxiv.org/abs/2101.0000{number}v2" rel="alternate"/>
<category term="cs.CL" scheme="http://arxiv.org/schemas/atom"/>{more}
</entry>
"""


def read(text: str) -> Parsed:
    assert FORMAT.recognise(text)
    return FORMAT.parse(text, "feed.xml")


def test_an_entry_keeps_all_that_the_feed_tells() -> None:
    (one,) = read(HEAD + entry(1) + "</feed>").entries
    assert (one.title, one.abstract, one.line) == ("On gravel", "Gravel filters x < y water. It needs no power.", 4)
    assert (one.arxiv_id, one.doi, one.date, one.venue) == ("2101.00001", "10.1000/g.1", "2021-03-04", "Filters 3")
    assert (one.authors, one.keywords, one.url) == (("Ada Stone", "Bo Brook"), ("cs.CL",), "http://arxiv.org/abs/2101.00001v2")


def test_a_broken_entry_costs_itself() -> None:
    parsed = read(HEAD + entry(1) + entry(2, more="<b>") + entry(3, title="On &nothing; else") + entry(4) + "</feed>")
    assert [one.arxiv_id for one in parsed.entries] == ["2101.00001", "2101.00004"]
    assert [skip.line for skip in parsed.skipped] == [16, 28]


def test_an_entry_that_never_ends_costs_itself() -> None:
    parsed = read(HEAD + entry(1) + entry(2).replace("</entry>", "") + entry(3) + entry(4)[:60])
    assert [one.arxiv_id for one in parsed.entries] == ["2101.00001", "2101.00003"]
    assert len(parsed.skipped) == 2


def test_entities_that_a_file_declares_are_refused() -> None:
    attack = (
        HEAD.replace("<feed", '<!DOCTYPE feed [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n<feed') + entry(1, title="On &x;") + "</feed>"
    )
    with pytest.raises(SourceError, match="declares entities"):
        FORMAT.parse(attack, "feed.xml")


def test_entities_declared_within_an_entry_are_refused() -> None:
    parsed = read(HEAD + entry(1) + entry(2, more='<!DOCTYPE x [<!ENTITY x "y">]>') + "</feed>")
    assert ([one.arxiv_id for one in parsed.entries], len(parsed.skipped)) == (["2101.00001"], 1)


def test_the_days_announcements_are_read_without_their_heading() -> None:
    item = (
        "<item><title>On gravel</title><link>https://arxiv.org/abs/2101.00001</link>"
        "<description>arXiv:2101.00001v1 Announce Type: new \nAbstract: Gravel filters. It is slow.</description>"
        "<category>cs.CL</category><pubDate>Thu, 04 Mar 2021 00:00:00 -0500</pubDate><dc:creator>Ada Stone, Bo Brook</dc:creator></item>"
    )
    text = f'<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><link>http://rss.arxiv.org/rss/cs.CL</link>{item}</channel></rss>'
    (one,) = read(text).entries
    assert (one.title, one.abstract, one.date, one.arxiv_id) == ("On gravel", "Gravel filters. It is slow.", "2021-03-04", "2101.00001")
    assert one.authors == ("Ada Stone", "Bo Brook")


def test_an_error_that_arxiv_answers_is_said() -> None:
    error = "<entry><id>http://arxiv.org/api/errors#x</id><title>Error</title><summary>incorrect id format</summary></entry></feed>"
    with pytest.raises(SourceError, match="incorrect id format"):
        FORMAT.parse(HEAD + error, "feed.xml")


def test_a_feed_of_another_site_is_not_taken() -> None:
    assert not FORMAT.recognise('<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><entry><title>News</title></entry></feed>')
