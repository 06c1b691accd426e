from __future__ import annotations

import pytest

from index.errors import SourceError
from index.paper import Entry
from index.sources.pubmed_xml import parse, recognise

HEAD = '<?xml version="1.0" ?>\n<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD" "https://dtd.example/pubmed.dtd">\n'
ARTICLE = """<PubmedArticle>
<MedlineCitation Status="MEDLINE"><PMID Version="1">{pmid}</PMID>
<Article>
<Journal><JournalIssue><PubDate><Year>2013</Year><Month>Nov</Month></PubDate></JournalIssue>
<Title>Journal of panes</Title></Journal>
<ArticleTitle>Glass that <i>heals</i> CO<sub>2</sub> &amp; more.</ArticleTitle>
<ELocationID EIdType="pii">1</ELocationID><ELocationID EIdType="doi">10.1000/X</ELocationID>
<Abstract>
<AbstractText Label="AIMS" NlmCategory="OBJECTIVE">To heat, p &lt; 0.05.</AbstractText>
<AbstractText>It heals.</AbstractText></Abstract>
<AuthorList><Author><LastName>Doe</LastName><ForeName>Jane A</ForeName><Initials>JA</Initials><Suffix>Jr</Suffix></Author>
<Author><CollectiveName>The Glass Group</CollectiveName></Author></AuthorList>
<ArticleDate><Year>2013</Year><Month>11</Month><Day>04</Day></ArticleDate></Article>
<CommentsCorrectionsList><CommentsCorrections><PMID>99</PMID></CommentsCorrections></CommentsCorrectionsList>
<MeshHeadingList><MeshHeading><DescriptorName>Glass</DescriptorName><QualifierName>methods</QualifierName></MeshHeading></MeshHeadingList>
<KeywordList><Keyword>healing</Keyword></KeywordList></MedlineCitation>
<PubmedData><ArticleIdList><ArticleId IdType="pubmed">{pmid}</ArticleId></ArticleIdList>
<ReferenceList>
<Reference><ArticleIdList><ArticleId IdType="doi">10.1000/other</ArticleId></ArticleIdList></Reference></ReferenceList></PubmedData>
</PubmedArticle>
"""
BOOK = """<PubmedBookArticle><BookDocument><PMID>7</PMID><Book><BookTitle>A guide</BookTitle><PubDate><Year>2009</Year></PubDate></Book>
<Abstract><AbstractText>Of glass.</AbstractText></Abstract></BookDocument></PubmedBookArticle>
"""


def whole(*records: str) -> str:
    return f"{HEAD}<PubmedArticleSet>\n{''.join(records)}</PubmedArticleSet>\n"


def test_all_that_an_article_tells_is_read() -> None:
    text = whole(ARTICLE.format(pmid=5))
    assert recognise(text)
    assert parse(text, "x.xml").entries == (
        Entry(
            "Glass that heals CO2 & more.",
            "AIMS: To heat, p < 0.05. It heals.",
            4,
            date="2013-11-04",
            authors=("Doe, Jane A, Jr", "The Glass Group"),
            doi="10.1000/x",
            pmid="5",
            venue="Journal of panes",
            keywords=("healing", "Glass/methods"),
        ),
    )


def test_a_book_is_read() -> None:
    (entry,) = parse(whole(BOOK), "x.xml").entries
    assert (entry.title, entry.abstract, entry.pmid, entry.date) == ("A guide", "Of glass.", "7", "2009")


@pytest.mark.parametrize(
    "broken", [ARTICLE.replace("</Abstract>", ""), ARTICLE.replace("&amp;", "&bad;"), "<PubmedArticle><PMID>6</PMID>\n"]
)
def test_a_broken_record_costs_itself(broken: str) -> None:
    parsed = parse(whole(ARTICLE.format(pmid=5), broken, ARTICLE.format(pmid=7)), "x.xml")
    assert [entry.pmid for entry in parsed.entries] == ["5", "7"]
    assert [one.line for one in parsed.skipped] == [4 + ARTICLE.count("\n")]


def test_entities_that_could_read_files_are_refused() -> None:
    text = whole(ARTICLE).replace("<PubmedArticleSet>", '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><PubmedArticleSet>', 1)
    with pytest.raises(SourceError, match="line 3: this XML declares entities"):
        parse(text, "x.xml")


@pytest.mark.parametrize(
    "text", ["", "<feed><entry/></feed>", "<html><body>PubmedArticle</body></html>", "See <PubmedArticle> in the manual."]
)
def test_other_text_is_not_taken(text: str) -> None:
    assert not recognise(text)
