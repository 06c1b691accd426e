"""EndNote's XML, MODS, JATS and Zotero's RDF, as these programs write them; inputs of our own."""

from __future__ import annotations

import pytest

from index.errors import SourceError
from index.sources import reference_xml
from index.sources.base import Parsed
from index.sources.files import read_text

FACE = '<style face="normal" font="default" size="100%">'
ENDNOTE = f"""<?xml version="1.0" encoding="UTF-8" ?><xml><records><record><database>My.enl</database><rec-number>1</rec-number>
<ref-type name="Journal Article">17</ref-type><contributors><authors><author>{FACE}Moss, Ada</style></author>
<author>{FACE}Fern, B.</style></author></authors></contributors><titles><title>
{FACE}Uptake of CO</style><style face="subscript">2</style>{FACE} by
</style><style face="italic">Sphagnum</style></title><secondary-title>{FACE}J. Bogs</style></secondary-title></titles>
<keywords><keyword>{FACE}bog</style></keyword><keyword>{FACE}moss</style></keyword></keywords>
<dates><year>{FACE}2020</style></year><pub-dates><date>{FACE}May 4</style></date></pub-dates></dates>
<accession-num>32000001</accession-num>
<abstract>{FACE}Bogs hold 10</style><style face="superscript">6</style>{FACE} mosses
&amp; more (p &lt; 0.05).&#xD;They take up gas.</style></abstract>
<urls><related-urls><url>{FACE}https://example.org/bog</style></url></related-urls></urls>
<electronic-resource-num>{FACE}10.1234/Bog.1</style></electronic-resource-num><remote-database-name>Medline</remote-database-name>
</record>
<record><ref-type name="Book">6</ref-type><titles><title>Broken & bare</title></titles></record>
<record><ref-type name="Book">6</ref-type><titles><title>A book without one</title></titles><dates><year>1999</year></dates></record>
</records></xml>"""
MODS = """<?xml version="1.0"?><mods:modsCollection xmlns:mods="http://www.loc.gov/mods/v3"><mods:mods><mods:titleInfo>
<mods:nonSort>The</mods:nonSort><mods:title>counting of mosses</mods:title><mods:subTitle>a primer</mods:subTitle></mods:titleInfo>
<mods:name type="personal"><mods:namePart type="family">Moss</mods:namePart><mods:namePart type="given">Ada</mods:namePart>
<mods:role><mods:roleTerm>aut</mods:roleTerm></mods:role></mods:name>
<mods:name><mods:namePart>Edit, Or</mods:namePart><mods:role><mods:roleTerm>editor</mods:roleTerm></mods:role></mods:name>
<mods:abstract>Mosses can be counted. We say how.</mods:abstract><mods:originInfo><mods:dateIssued>2020-05</mods:dateIssued>
</mods:originInfo>
<mods:relatedItem type="host"><mods:titleInfo><mods:title>J. Bogs</mods:title></mods:titleInfo></mods:relatedItem>
<mods:identifier type="doi">10.1234/bog.2</mods:identifier><mods:subject><mods:topic>moss</mods:topic></mods:subject>
</mods:mods></mods:modsCollection>"""
JATS = """<?xml version="1.0"?><!DOCTYPE article PUBLIC "-//NLM//DTD JATS v1.2//EN" "JATS-archivearticle1.dtd">
<article xmlns:mml="http://www.w3.org/1998/Math/MathML"><front><journal-meta><journal-title-group>
<journal-title>Journal of Bogs</journal-title>
</journal-title-group></journal-meta><article-meta><article-id pub-id-type="pmid">32000002</article-id>
<article-id pub-id-type="doi">10.1234/bog.3
</article-id><title-group><article-title>Peat of <italic>S. fuscum</italic><xref ref-type="fn">*</xref></article-title></title-group>
<contrib-group><contrib contrib-type="author"><name><surname>Moss</surname><given-names>Ada</given-names></name></contrib></contrib-group>
<pub-date><year>2021</year></pub-date><pub-date><day>4</day><month>5</month><year>2020</year></pub-date>
<abstract><title>Abstract</title><sec><title>Aims.</title><p>To weigh <mml:math><mml:msup><mml:mn>10</mml:mn><mml:mn>3</mml:mn>
</mml:msup></mml:math>
 peats.</p></sec><sec><title>Results</title><p>They are heavy.</p></sec></abstract><abstract abstract-type="graphical"><p>A picture.</p>
</abstract>
<kwd-group><kwd>peat</kwd></kwd-group></article-meta></front><body><p>Not this & that.</p></body></article>"""
RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:z="http://www.zotero.org/namespaces/export#"
 xmlns:dcterms="http://purl.org/dc/terms/" xmlns:bib="http://purl.org/net/biblio#" xmlns:foaf="http://xmlns.com/foaf/0.1/"
 xmlns:dc="http://purl.org/dc/elements/1.1/">
 <bib:Article rdf:about="https://example.org/a?x=1&amp;y=2"><z:itemType>journalArticle</z:itemType>
<dcterms:isPartOf rdf:resource="urn:issn:1"/>
  <bib:authors><rdf:Seq><rdf:li><foaf:Person><foaf:surname>Moss</foaf:surname><foaf:givenName>Ada</foaf:givenName></foaf:Person></rdf:li>
  </rdf:Seq></bib:authors><dc:subject>to read</dc:subject>
  <dc:subject><z:AutomaticTag><rdf:value>moss</rdf:value></z:AutomaticTag></dc:subject><dc:title>Bogs in winter</dc:title>
  <dcterms:abstract>Bogs freeze. We waited.</dcterms:abstract><dc:date>2020-05-04</dc:date><dc:description>PMID: 32000003</dc:description>
  <dc:identifier><dcterms:URI><rdf:value>https://example.org/a?x=1&amp;y=2</rdf:value></dcterms:URI></dc:identifier></bib:Article>
 <bib:Journal rdf:about="urn:issn:1"><dc:title>J. Bogs</dc:title><dc:identifier>DOI 10.1234/bog.4</dc:identifier></bib:Journal>
 <bib:Memo rdf:about="#item_9"><z:itemType>note</z:itemType><dc:title>Mine</dc:title></bib:Memo>
 <z:Collection rdf:about="#c1"><dc:title>Winter</dc:title><dcterms:hasPart rdf:resource="https://example.org/a?x=1&amp;y=2"/>
</z:Collection>
</rdf:RDF>"""


def read(text: str) -> Parsed:
    """By the registry, so that recognising is tested too."""
    assert reference_xml.recognise(text)
    return read_text(text, "x")


def test_endnote_joins_typefaces_and_a_broken_record_costs_itself() -> None:
    parsed = read(ENDNOTE)
    (paper,) = parsed.entries
    assert (paper.title, paper.line, paper.date) == ("Uptake of CO2 by Sphagnum", 1, "2020-05-04")
    assert paper.abstract == "Bogs hold 10^6 mosses & more (p < 0.05). They take up gas."
    assert (paper.authors, paper.venue, paper.keywords) == (("Moss, Ada", "Fern, B."), "J. Bogs", ("bog", "moss"))
    assert (paper.doi, paper.pmid, paper.url) == ("10.1234/bog.1", "32000001", "https://example.org/bog")
    assert [(one.title, one.date) for one in parsed.without_abstract] == [("A book without one", "1999")]
    assert [one.line for one in parsed.skipped] == [14] and "not well-formed" in parsed.skipped[0].reason


def test_mods_of_any_prefix_has_its_title_in_parts_and_authors_alone() -> None:
    (paper,) = read(MODS).entries
    assert (paper.title, paper.authors, paper.date) == ("The counting of mosses: a primer", ("Moss, Ada",), "2020-05")
    assert (paper.abstract, paper.venue, paper.doi) == ("Mosses can be counted. We say how.", "J. Bogs", "10.1234/bog.2")
    assert paper.keywords == ("moss",)


def test_jats_is_read_up_to_its_body_with_the_headings_of_its_abstract() -> None:
    (paper,) = read(JATS).entries
    assert (paper.title, paper.authors, paper.date) == ("Peat of S. fuscum", ("Moss, Ada",), "2020-05-04")
    assert paper.abstract == "Aims: To weigh 10^3 peats. Results: They are heavy."
    assert (paper.venue, paper.doi, paper.pmid, paper.keywords) == ("Journal of Bogs", "10.1234/bog.3", "32000002", ("peat",))


def test_zotero_s_rdf_joins_an_item_with_its_journal_and_its_collections() -> None:
    (paper,) = read(RDF).entries
    assert (paper.title, paper.line, paper.authors, paper.date) == ("Bogs in winter", 4, ("Moss, Ada",), "2020-05-04")
    assert (paper.venue, paper.doi, paper.pmid) == ("J. Bogs", "10.1234/bog.4", "32000003")
    assert (paper.tags, paper.keywords, paper.url) == (("to read", "Winter"), ("moss",), "https://example.org/a?x=1&y=2")


@pytest.mark.parametrize(
    "text",
    [
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
        "<records><record><ref-type/><titles><title>&a;</title></titles></record></records>",
        RDF.replace("<rdf:RDF ", '<!DOCTYPE rdf:RDF [<!ENTITY a "b">]><rdf:RDF '),
        RDF.replace("</dc:title>", "", 1),
        "<xml><records></records></xml>",
    ],
)
def test_entities_are_not_read_and_what_holds_nothing_is_refused(text: str) -> None:
    with pytest.raises(SourceError):
        read_text(text, "x")


def test_a_record_nested_too_deeply_costs_itself() -> None:
    deep = "<records><record><ref-type/><titles><title>" + "<style>" * 5_000 + "a" + "</style>" * 5_000 + "</title></titles></record>"
    parsed = read(deep + "<record><titles><title>Whole</title></titles><abstract>It is so, and so on.</abstract></record></records>")
    assert [one.title for one in parsed.entries] == ["Whole"] and "deeply" in parsed.skipped[0].reason
