"""The chat page in a real browser, over the starter library with the real model."""

from __future__ import annotations

import json
import os
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from llama_index.core.llms import CompletionResponseGen
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, expect, sync_playwright
from pydantic import PrivateAttr

from assistant import Assistant
from assistant.conversations import Conversations
from assistant.llms import discovery, keys
from assistant.llms.scripted import ScriptedLLM
from assistant.verification.citations import UNSUPPORTED
from index import SUMMARY_NOTE, Library
from index.embedding import ToyEmbedder
from index.sources import registry
from tests.assistant.wire_servers import KEY, OllamaWire, OpenAIWire, WireServer, says, serving
from tests.conftest import LISTINGS
from tests.index.sources.service_server import Reply, ServiceServer
from tests.index.sources.test_services import atom, atom_entry
from tests.ui.ports import free_port
from tests.ui.records import ABSTRACT, answer, citation, paper
from tests.ui.test_render import HOSTILE
from tests.ui.test_untrusted import ATTACKS, TRUE
from ui.serve import start

pytestmark = pytest.mark.browser

CHROMIUM_FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
WIDE = {"width": 1180, "height": 900}
WIDEST = {"width": 1440, "height": 900}
"""Here sources stand beside their answer."""
NARROW = {"width": 390, "height": 844}
PATIENCE_MS = 30_000

HYDRAGEN = "How does Hydragen speed up decoding?"
OFF_TOPIC = "What is the boiling point of ethanol?"
TIDE = "What does TideCache cut, and by how much?"
TIDE_REPLY = "TideCache cuts time to first token by 2.4x and raises throughput by 38% over recomputation [1]."

_CALL = "window.hacked=1"
HOSTILE_STRINGS = [
    *HOSTILE,
    *(attack.removeprefix(f"{TRUE} [1].").strip() for attack in ATTACKS.values() if re.search(r"[<(&$]", attack)),
    f"<script>{_CALL}</script>",
    f"<ScRiPt/x>{_CALL}</ScRiPt>",
    f"<img src=x onerror={_CALL}>",
    f"<img src='https://example.org/i.png' onload='{_CALL}'>",
    f"<svg><script>{_CALL}</script></svg>",
    f"<svg onload={_CALL}><animate onbegin={_CALL} attributeName=x dur=1s></svg>",
    f"<math><mtext><style><img src=x onerror={_CALL}></style></mtext></math>",
    f"<details open ontoggle={_CALL}><summary>x</summary></details>",
    f"<input autofocus onfocus={_CALL}>",
    f"<video><source onerror={_CALL}></video>",
    f"<body onload={_CALL}>",
    f"<marquee onstart={_CALL}>x</marquee>",
    "<link rel=stylesheet href=https://example.org/x.css>",
    "<meta http-equiv=refresh content='0;url=https://example.org'>",
    "<base href=https://example.org/>",
    "<object data=https://example.org/x.svg></object><embed src=https://example.org/x>",
    "<iframe src=https://example.org></iframe>",
    f"<iframe srcdoc='<script>parent.{_CALL}</script>'></iframe>",
    f"<a href=javascript:{_CALL}>go</a>",
    f"<a href='jav&#x09;ascript:{_CALL}'>go</a>",
    f"<form action=javascript:{_CALL}><button>go</button></form>",
    f"[go](javascript:{_CALL})",
    f"[go](data:text/html,<script>{_CALL}</script>)",
    f"![x](https://example.org/x.png)![x]('onerror={_CALL})",
    "[x]: https://example.org\n[x]",
    "<https://example.org>",
    f"`<img src=x onerror={_CALL}>`",
    f"```html\n<script>{_CALL}</script>\n```",
    "<style>#pa-chat { display: none } * { background: url(https://example.org/x.png) }</style>",
    "<p style='position:fixed;inset:0;background:url(https://example.org/x.png)'>over</p>",
    f"{{{{constructor.constructor('{_CALL}')()}}}}",
    f"${{{_CALL}}} #{{{_CALL}}} <%= {_CALL} %> {{% {_CALL} %}}",
    f"\\href{{javascript:{_CALL}}}{{x}} $\\unicode{{<img src=x onerror={_CALL}>}}$",
    "\u202e\u2066reversed\u2069\u202c \u200b\ufeff\u00ad",
    f"' onmouseover='{_CALL}' x='",
    f'" autofocus onfocus="{_CALL}" x="',
    f"--><script>{_CALL}</script><!--",
    f"]]><script>{_CALL}</script>",
    f"</textarea></title></style></script><script>{_CALL}</script>",
    f"<noscript><p title='</noscript><img src=x onerror={_CALL}>'></noscript>",
    f"<template><script>{_CALL}</script></template>",
    f"%3Cscript%3E{_CALL}%3C/script%3E &lt;script&gt;{_CALL}&lt;/script&gt;",
]
"""Texts that would run, load or cover something, were they markup."""
HOSTILE_TITLE = "TideCache: <img src=x onerror=alert('title')> **Bold** <script>alert('title')</script> [x](javascript:alert(1))"
HOSTILE_ABSTRACT = (
    "TideCache keeps the attention states of shared prefixes in a radix tree </details></div><script>alert('abstract')</script>. "
    "TideCache cuts time to first token by 2.4x $x^2$ `code` <a href=javascript:alert(1)>more</a> <iframe src=//example.org></iframe>."
)
HOSTILE_REPLY = (
    "TideCache cuts time to first token by 2.4x and keeps attention states of shared prefixes in a radix tree "
    "<img src=x onerror=alert('llm')> ![i](https://example.org/x.png) [c](javascript:alert(1)) </div></details> **b** [1].\n\n# Head"
)

BIBTEX = """@article{kettle, title = {TideKettle: Faster Tea}, author = {Moss, Ada}, year = {2024},
  abstract = {Kettles boil slowly. TideKettle boils water three times faster than others. It needs no new plug.}}
"""
RIS = """TY  - JOUR
TI  - Slow Cups for Quiet Mornings
AB  - Cups cool quickly. We shape the rim of a cup so that tea stays warm for an hour, at no cost in weight.
ER  - 
"""
CONTRASTS = """() => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const painted = (colours) => {
    context.clearRect(0, 0, 1, 1);
    for (const colour of colours) { context.fillStyle = colour; context.fillRect(0, 0, 1, 1); }
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (rgb) => rgb.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const seen = {};
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode()); ) {
    const element = node.parentElement;
    if (!node.data.trim() || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    if (["SCRIPT", "STYLE"].includes(element.tagName) || element.closest(".sr-only")) continue;
    const behind = [];
    for (let at = element; at; at = at.parentElement) behind.unshift(getComputedStyle(at).backgroundColor);
    const back = ["white", ...behind];
    const [a, b] = [light(painted(back)), light(painted([...back, getComputedStyle(element).color]))];
    seen[node.data.trim().slice(0, 40)] = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  }
  return seen;
}"""


class PacedLLM(ScriptedLLM):
    """Says a piece only when it is let to, so that a test sees the text while it is coming."""

    _may_speak: threading.Semaphore = PrivateAttr(default_factory=lambda: threading.Semaphore(0))

    def let(self, pieces: int) -> None:
        """Lets it say so many pieces more."""
        self._may_speak.release(pieces)

    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseGen:
        pieces = super().stream_complete(prompt, formatted, **kwargs)

        def paced() -> CompletionResponseGen:
            for piece in pieces:
                self._may_speak.acquire(timeout=PATIENCE_MS / 1000)
                yield piece

        return paced()


class OpenOllama(OllamaWire):
    """Wants no key."""

    def has_key(self) -> bool:
        return True


def serve(assistant: Assistant) -> Iterator[str]:
    port = free_port()
    served = start(assistant, "127.0.0.1", port)
    yield f"http://127.0.0.1:{port}"
    served.close()


@pytest.fixture(scope="module")
def starter_page(starter: Assistant) -> Iterator[str]:
    """The page over the starter library, as a newcomer gets it."""
    yield from serve(starter)


@pytest.fixture(scope="module")
def paced() -> PacedLLM:
    return PacedLLM(replies=[f"{TIDE_REPLY} It evicts the least valuable branch first [1]."])


@pytest.fixture(scope="module")
def paced_page(tmp_path_factory: pytest.TempPathFactory, paced: PacedLLM) -> Iterator[str]:
    """The page over the toy library, answered by an LLM that waits to be let."""
    library = Library(tmp_path_factory.mktemp("paced"), ToyEmbedder())
    library.add([str(LISTINGS)])
    yield from serve(Assistant(library.home, paced, library=library))
    library.close()


@pytest.fixture(scope="module")
def hostile_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of `hostile_page`."""
    return tmp_path_factory.mktemp("hostile")


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory: pytest.TempPathFactory, hostile_home: Path) -> Iterator[str]:
    """The page over a library, and with an LLM, that try to get markup into it."""
    listing = tmp_path_factory.mktemp("listing") / "hostile.txt"
    listing.write_text(f"Get trending papers in your email inbox!\nSubscribe{HOSTILE_TITLE}\n{HOSTILE_ABSTRACT}\n")
    library = Library(hostile_home, ToyEmbedder())
    assert library.add([str(listing)]).papers == 1
    yield from serve(Assistant(library.home, ScriptedLLM(replies=[HOSTILE_REPLY]), library=library))
    library.close()


@pytest.fixture(scope="module")
def offering(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, WireServer]]:
    """The page over the toy library, and a server on this machine that it notices."""
    library = Library(tmp_path_factory.mktemp("offering"), ToyEmbedder())
    library.add([str(LISTINGS)])
    with pytest.MonkeyPatch.context() as patch:
        for server in serving(OpenOllama):
            here = discovery.Candidate("Ollama", "ollama", server.address)
            patch.setattr(discovery, "candidates", partial(tuple, [here]))
            patch.setenv("OLLAMA_HOST", server.address)
            for variable in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
                patch.delenv(variable, raising=False)
            server.behaviour = says(f"{TIDE_REPLY} It was written on the moon [1].")
            for url in serve(Assistant(library.home, library=library)):
                yield url, server
    library.close()


@pytest.fixture(scope="module")
def keyed() -> Iterator[WireServer]:
    """A server on this machine that wants a key, and that the page does not notice."""
    for server in serving(OpenAIWire):
        server.behaviour = says(TIDE_REPLY)
        yield server


@pytest.fixture(scope="module")
def browser(
    starter_page: str, paced_page: str, hostile_page: str, offering: tuple[str, WireServer], empty_page: tuple[str, Library]
) -> Iterator[Browser]:
    """Chromium. The pages come first: while Playwright runs, this thread has an event loop."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        reason = "no chromium here: apt-get install chromium (or put another Chromium on the PATH under that name)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser profile of its own; a request to anywhere but this machine fails the test."""
    context = browser.new_context(viewport=WIDE)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    outside: list[str] = []
    context.on("request", lambda request: outside.append(request.url) if is_outside(request.url) else None)
    yield context
    context.close()
    assert outside == []


@pytest.fixture(scope="module")
def empty_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Library]]:
    """The page over a library that has no papers yet."""
    library = Library(tmp_path_factory.mktemp("empty"), ToyEmbedder())
    for url in serve(Assistant(library.home, library=library)):
        yield url, library
    library.close()


@pytest.fixture
def arxiv(monkeypatch: pytest.MonkeyPatch) -> Iterator[ServiceServer]:
    """A server in arXiv's place."""
    server = ServiceServer(lambda call, number: Reply(atom([atom_entry(7)], 1)))
    there = tuple(replace(one, base=server.base, pause=0.0) if one.scheme == "arxiv" else one for one in registry.SERVICES)
    monkeypatch.setattr(registry, "SERVICES", there)
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def other_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Another page of this machine, not ours."""
    folder = tmp_path_factory.mktemp("other")
    (folder / "index.html").write_text("<!doctype html><title>Other</title>")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def is_outside(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1:", "data:", "blob:"))


def show(page: Page, url: str, theme: str = "light") -> None:
    page.goto(f"{url}/?__theme={theme}")
    expect(page.locator("#pa-chat .example").first).to_be_visible(timeout=PATIENCE_MS)


def ask(page: Page, question: str) -> None:
    """Types a question and presses Enter; waits until the page is ready for the next."""
    send(page, question)
    ready(page)


def send(page: Page, question: str) -> None:
    box = page.get_by_role("textbox", name="Your question")
    box.fill(question)
    box.press("Enter")
    expect(page.locator(".pa-question").last).to_have_text(question, timeout=PATIENCE_MS)


def ready(page: Page) -> None:
    """Waits until the last question has its reply and the next can be asked."""
    reply = page.locator("#pa-chat .bot-row").last.locator(".pa-foot, .pa-declined, .pa-notice")
    expect(reply.last).to_be_attached(timeout=PATIENCE_MS)
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible(timeout=PATIENCE_MS)


def options(page: Page) -> None:
    page.locator("#pa-options").get_by_role("button", name="Which papers").click()


def choose_llm(page: Page, name: str) -> None:
    """Chooses one of those that are ready, and comes back to the chat."""
    page.locator("#pa-writes button").click()
    page.get_by_role("button", name=f"Use {name}").click()
    expect(page.locator("#pa-writes")).to_contain_text(name if name != "No LLM" else "no LLM")
    page.get_by_role("tab", name="Chat").click()


KETTLE = "What does TideKettle do?"
FAILING = "what " * 1000
"""A question that is too long to be asked."""


def narrow(page: Page, label: str, choice: str) -> None:
    """Chooses one of what papers can be narrowed to, by the beginning of its words."""
    page.get_by_label(label, exact=True).click()
    page.get_by_role("option", name=re.compile(f"^{choice}")).click()
    page.keyboard.press("Escape")
    expect(page.locator(".pa-chip", has_text=choice)).to_be_visible()


def is_in_view(page: Page, selector: str) -> bool:
    """Whether the top of the element can be seen above the question's box."""
    top: bool = page.evaluate(
        "(s) => { const t = [...document.querySelectorAll(s)].at(-1).getBoundingClientRect().top;"
        "return t >= 0 && t < document.getElementById('pa-dock').getBoundingClientRect().top }",
        selector,
    )
    return top


def test_an_answer_has_numbered_titles_and_each_opens_to_its_quote_within_the_abstract(
    page: Page, starter_page: str, starter: Assistant
) -> None:
    show(page, starter_page)
    ask(page, HYDRAGEN)
    source = page.locator("details.pa-source").first
    expect(source.locator("summary")).to_contain_text("Hydragen: High-Throughput LLM Inference with Shared Prefixes")
    expect(source.locator(".pa-number")).to_have_text("1")
    expect(source.locator(".pa-abstract")).to_be_hidden()
    source.locator("summary").click()
    expect(source.locator(".pa-abstract")).to_be_visible()
    [paper] = [paper for paper in starter.library.papers() if paper.title.startswith("Hydragen")]
    expect(source.locator(".pa-abstract")).to_have_text(paper.abstract)
    quotes = source.locator("mark").all_text_contents()
    assert quotes
    assert all(quote in paper.abstract for quote in quotes)
    expect(page.get_by_text("confidence")).to_be_visible()


def test_the_note_on_summaries_and_the_date_are_seen_before_anything_is_opened(page: Page, starter_page: str, starter: Assistant) -> None:
    dated = next(paper for paper in starter.library.papers() if re.fullmatch(r"2024-\d\d-\d\d", paper.date or "") and ":" in paper.title)
    show(page, starter_page)
    ask(page, f"What does {dated.title} propose?")
    expect(page.locator(".pa-note").first).to_contain_text(re.compile(re.escape(SUMMARY_NOTE), re.IGNORECASE))
    expect(page.locator("summary", has_text=dated.display_title).locator(".pa-date")).to_have_text(re.compile(r"^\d+ \w{3} 2024$"))


def test_a_marker_in_the_text_opens_its_source(page: Page, starter_page: str) -> None:
    show(page, starter_page)
    ask(page, HYDRAGEN)
    page.locator("a.pa-mark").last.click()
    expect(page.locator("details.pa-source[open] mark").first).to_be_in_viewport()
    assert page.url.partition("#")[2] == ""


def test_on_a_wide_screen_sources_stand_beside_the_answer_the_first_one_open(page: Page, starter_page: str) -> None:
    page.set_viewport_size(WIDEST)
    show(page, starter_page)
    ask(page, "Compare Hydragen and FlashAttention")
    expect(page.locator(".pa-source[open] mark").first).to_be_visible()
    said, source = page.locator(".pa-said").bounding_box(), page.locator(".pa-source").first.bounding_box()
    assert said and source and said["x"] + said["width"] < source["x"] and abs(said["y"] - source["y"]) < 20
    expect(page.locator("table.pa-compared tbody th")).to_have_count(2)
    expect(page.locator("table.pa-compared tbody th").first).to_contain_text("Hydragen")


def test_an_answer_is_asked_again_shorter_and_longer_and_a_question_edited(page: Page, starter_page: str) -> None:
    show(page, starter_page)
    ask(page, HYDRAGEN)
    page.get_by_role("button", name="Longer").click()
    expect(page.locator(".pa-question")).to_have_text([HYDRAGEN, "Tell me more"], timeout=PATIENCE_MS)
    ready(page)
    page.get_by_role("button", name="Retry").click()
    expect(page.locator(".pa-waiting")).to_have_count(0)
    ready(page)
    expect(page.locator(".pa-question")).to_have_count(2)
    page.get_by_role("button", name="Edit").first.click()
    box = page.get_by_role("textbox", name="Your question")
    expect(box).to_have_value(HYDRAGEN)
    expect(page.get_by_text("takes the place of question 1 and of the 1 after it")).to_be_visible()
    ask(page, OFF_TOPIC)
    expect(page.locator(".pa-question")).to_have_text([OFF_TOPIC])
    page.reload()
    expect(page.locator(".pa-question")).to_have_text([OFF_TOPIC])
    box.press("ArrowUp")
    expect(box).to_have_value(OFF_TOPIC)


def test_light_and_dark_are_switched_and_remembered(page: Page, starter_page: str) -> None:
    show(page, starter_page)
    page.get_by_role("button", name="Light or dark").click()
    assert page.evaluate("document.body.classList.contains('dark')")
    page.goto(starter_page)
    expect(page.locator("#pa-chat .example").first).to_be_visible()
    assert page.evaluate("document.body.classList.contains('dark')")


def test_the_keyboard_alone_asks_reaches_a_source_and_opens_it(page: Page, starter_page: str) -> None:
    show(page, starter_page)
    page.keyboard.type(HYDRAGEN)
    page.keyboard.press("Enter")
    expect(page.locator(".pa-source")).not_to_have_count(0, timeout=PATIENCE_MS)
    ready(page)
    expect(page.get_by_role("textbox", name="Your question")).to_be_focused()
    for _ in range(12):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement.tagName") == "SUMMARY":
            break
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.locator(".pa-source[open] .pa-abstract")).to_be_visible()


def test_an_example_is_asked_by_choosing_it(page: Page, starter_page: str) -> None:
    show(page, starter_page)
    example = page.locator("#pa-chat .example").first
    question = example.inner_text()
    example.click()
    expect(page.locator(".pa-question")).to_have_text(question, timeout=PATIENCE_MS)
    ready(page)
    expect(page.locator(".pa-foot, .pa-declined")).not_to_have_count(0)
    expect(page.get_by_role("textbox", name="Your question")).to_be_focused()


def test_a_declined_question_looks_unlike_an_answer(page: Page, starter_page: str) -> None:
    show(page, starter_page)
    ask(page, OFF_TOPIC)
    expect(page.locator(".pa-declined")).to_contain_text("No answer in this library")
    expect(page.locator(".pa-declined")).to_have_css("border-style", "dashed")
    expect(page.locator(".pa-source:not(.pa-nearest), .pa-sure")).to_have_count(0)


def test_a_failure_is_said_in_the_page_and_the_conversation_goes_on(page: Page, starter_page: str) -> None:
    show(page, starter_page)
    ask(page, HYDRAGEN)
    page.get_by_role("textbox", name="Your question").fill(FAILING)
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_role("alert").last).to_contain_text("characters")
    page.get_by_role("button", name="Edit").last.click()
    ask(page, "Which papers deal with KV cache compression?")
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator(".pa-question")).to_have_text([HYDRAGEN, "Which papers deal with KV cache compression?"])


def test_an_empty_question_is_not_asked_and_says_so(page: Page, starter_page: str) -> None:
    show(page, starter_page)
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_text("Type a question first.")).to_be_visible()
    expect(page.locator(".pa-question")).to_have_count(0)


def test_papers_are_narrowed_by_what_there_is_and_a_chip_takes_it_back(page: Page, starter_page: str, starter: Assistant) -> None:
    hydragen = next(paper for paper in starter.library.papers() if paper.title.startswith("Hydragen"))
    source = next(source.name for source, _ in starter.library.catalogue.sources() if source.name not in hydragen.sources)
    show(page, starter_page)
    options(page)
    narrow(page, "Sources", source.rpartition("/")[2])
    ask(page, HYDRAGEN)
    expect(page.locator("summary", has_text="Hydragen")).to_have_count(0)
    page.get_by_role("button", name="No longer only").click()
    expect(page.locator(".pa-chip")).to_have_count(0)
    page.get_by_role("button", name="Retry").click()
    expect(page.locator("summary", has_text="Hydragen")).to_have_count(1, timeout=PATIENCE_MS)
    expect(page.locator(".pa-question")).to_have_text([HYDRAGEN])


def test_text_comes_in_pieces_and_a_second_question_waits_its_turn(page: Page, paced_page: str, paced: PacedLLM) -> None:
    show(page, paced_page)
    send(page, TIDE)
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_hidden()
    paced.let(16)
    expect(page.locator(".pa-coming")).to_contain_text("TideCache cuts")
    box = page.get_by_role("textbox", name="Your question")
    box.fill("And the accuracy?")
    box.press("Enter")
    paced.let(4)
    expect(page.locator(".pa-coming")).to_contain_text("least valuable")
    expect(page.locator(".pa-question")).to_have_count(1)
    paced.let(100)
    ready(page)
    expect(page.locator(".pa-source summary")).to_contain_text("TideCache")
    expect(box).to_have_value("And the accuracy?")
    box.press("Enter")
    ready(page)
    expect(page.locator(".pa-question")).to_have_text([TIDE, "And the accuracy?"])
    assert TIDE in paced.prompts[-1]
    drain(paced)


def test_stop_ends_the_answer_keeps_what_came_and_the_next_question_is_answered(page: Page, paced_page: str, paced: PacedLLM) -> None:
    show(page, paced_page)
    send(page, TIDE)
    paced.let(16)
    expect(page.locator(".pa-coming")).to_contain_text("TideCache cuts")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped")).to_be_visible()
    expect(page.locator(".pa-answer")).to_contain_text("TideCache cuts")
    ready(page)
    paced.let(100)
    ask(page, "What does TideCache evict first?")
    expect(page.locator(".pa-source")).not_to_have_count(0)
    expect(page.get_by_text("Stopped")).to_be_visible()
    drain(paced)


def test_a_new_conversation_forgets_the_old_one(page: Page, paced_page: str, paced: PacedLLM) -> None:
    show(page, paced_page)
    paced.let(100)
    ask(page, TIDE)
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator(".pa-question")).to_have_count(0)
    expect(page.locator("#pa-chat .example").first).to_be_visible()
    ask(page, "What does TideCache evict first?")
    assert TIDE not in paced.prompts[-1]
    drain(paced)


def test_two_tabs_hold_two_conversations(context: BrowserContext, paced_page: str, paced: PacedLLM) -> None:
    first, second = context.new_page(), context.new_page()
    show(first, paced_page)
    show(second, paced_page)
    send(first, TIDE)
    send(second, "What does TideCache evict first?")
    paced.let(200)
    ready(first)
    ready(second)
    ask(first, "And the accuracy?")
    asked_first = paced.prompts[-1]
    expect(first.locator(".pa-question")).to_have_text([TIDE, "And the accuracy?"])
    expect(second.locator(".pa-question")).to_have_text(["What does TideCache evict first?"])
    assert TIDE in asked_first
    assert "evict first" not in asked_first
    drain(paced)


def drain(paced: PacedLLM) -> None:
    """Takes back what it was let to say and did not."""
    while paced._may_speak.acquire(blocking=False):
        pass


def test_text_that_is_not_ours_never_becomes_markup(page: Page, hostile_page: str) -> None:
    dialogs: list[Dialog] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog), dialog.dismiss()))
    question = "What does TideCache cut? <img src=x onerror=alert('question')> **b** </details> [x](javascript:alert(1))"
    show(page, hostile_page)
    ask(page, question)
    expect(page.locator(".pa-answer")).to_contain_text("**b**")
    expect(page.locator(".pa-answer")).not_to_contain_text("onerror")
    page.locator(".pa-source summary").click()
    expect(page.locator(".pa-title")).to_contain_text("<script>alert('title')</script>")
    expect(page.locator(".pa-abstract")).to_contain_text("</details> <script>alert('abstract')</script>")
    chat = page.locator("#pa-chat [role=log]")
    assert chat.locator("img, script, iframe, a[href^=javascript], h1, strong, code").count() == 0
    assert chat.locator("a:not(.pa-mark)").count() == 0
    expect(page.locator("details.pa-source")).to_have_count(1)
    assert dialogs == []


def test_no_hostile_text_runs_or_loads_anything_wherever_the_chat_shows_it(page: Page, hostile_page: str, hostile_home: Path) -> None:
    assert len(set(HOSTILE_STRINGS)) >= 60
    kept = Conversations(hostile_home)
    conversation = kept.begin(HOSTILE_STRINGS[0])
    for number, text in enumerate(text.encode(errors="ignore").decode() for text in HOSTILE_STRINGS):  # a browser sends no halves
        of = paper(
            paper_id=f"p{number}", display_title=text, abstract=text + ABSTRACT, note=text, sources=(text,), url=f"https://e.org/{text}"
        )
        cited = citation(of, authors=(text, f"{text}, {text}"), venue=text)
        given = answer(f"{text} [1] {UNSUPPORTED}\n- {text} [1]", (cited,), mode=text, warnings=(text,), question=text)
        kept.finish(kept.ask(conversation, text), given, text)
        kept.fail(kept.ask(conversation, text), text)
        kept.begin(text)
    kept.close()
    dialogs: list[Dialog] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog), dialog.dismiss()))
    page.goto(f"{hostile_page}/?c={conversation}")
    expect(page.locator(".pa-question")).to_have_count(2 * len(HOSTILE_STRINGS))
    expect(page.locator(".pa-answer")).not_to_have_count(0)
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    page.locator("a.pa-mark").first.hover()
    page.get_by_role("button", name="Edit").last.click()
    expect(page.get_by_role("textbox", name="Your question")).not_to_have_value("")
    assert page.evaluate("window.hacked") is None and dialogs == [] and page.url.startswith(hostile_page)
    places = page.locator("#pa-chat [role=log], #pa-shelf, #pa-peek, #pa-dock .html-container")
    assert (
        places.locator("img, script, iframe, svg, math, style, link, object, embed, form, video, input, base, meta, h1, template").count()
        == 0
    )
    links = page.evaluate("[...document.querySelectorAll('#pa-chat [role=log] a, #pa-shelf a')].map((link) => link.protocol)")
    assert set(links) <= {"http:", "https:"}
    handlers = "[...document.querySelectorAll('#pa-chat [role=log] *, #pa-shelf *')].flatMap((e) => [...e.attributes].map((a) => a.name))"
    assert not [name for name in page.evaluate(handlers) if name.startswith("on")]


@pytest.mark.long
def test_no_view_has_a_serious_or_critical_finding(page: Page, starter_page: str) -> None:
    found: dict[str, list[str]] = {}

    def look(view: str) -> None:
        findings = Axe().run(page).response["violations"]
        found[view] = [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in findings if one["impact"] in ("serious", "critical")]

    page.set_viewport_size(WIDEST)
    show(page, starter_page)
    look("first")
    ask(page, "Compare Hydragen and FlashAttention")
    ask(page, OFF_TOPIC)
    options(page)
    narrow(page, "Sources", "listing-1.txt")
    look("conversation")
    page.get_by_role("button", name="Light or dark").click()
    page.wait_for_timeout(400)  # until colours have changed over
    look("dark")
    for tab in page.get_by_role("tab").all()[1:]:
        tab.click()
        page.wait_for_timeout(2_000)  # Gradio keeps a stream open, so that the network is never idle
        look(tab.inner_text())
    page.set_viewport_size(NARROW)
    look("narrow")
    assert len(found) >= 7 and {view: findings for view, findings in found.items() if findings} == {}


def test_at_twice_the_size_nothing_scrolls_sideways_and_with_reduced_motion_nothing_moves(page: Page, starter_page: str) -> None:
    page.set_viewport_size({"width": 640, "height": 450})  # what a window of 1280 shows at 200%
    page.emulate_media(reduced_motion="reduce")
    show(page, starter_page)
    ask(page, "Compare Hydragen and FlashAttention")
    assert page.evaluate("document.documentElement.scrollWidth") == 640
    moving = "[...document.querySelectorAll('[class*=pa-]')].filter((e) => getComputedStyle(e).animationName !== 'none').length"
    assert page.evaluate(moving) == 0


@pytest.mark.long
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everything_written_can_be_read_in_either_theme(page: Page, starter_page: str, theme: str) -> None:
    show(page, starter_page, theme)
    contrasts: dict[str, float] = page.evaluate(CONTRASTS)
    ask(page, OFF_TOPIC)
    ask(page, HYDRAGEN)
    page.locator(".pa-source summary").first.click()
    options(page)
    page.get_by_role("textbox", name="Your question").fill(FAILING)
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()
    contrasts |= page.evaluate(CONTRASTS)
    page.locator("#pa-writes button").click()
    expect(page.get_by_role("button", name="Try it")).to_be_visible()
    contrasts |= page.evaluate(CONTRASTS)
    assert len(contrasts) > 15
    assert {text: contrast for text, contrast in contrasts.items() if contrast < 4.5} == {}
    assert page.evaluate("document.body.classList.contains('dark')") is (theme == "dark")


def test_a_phone_shows_everything_without_scrolling_sideways(page: Page, starter_page: str, starter: Assistant) -> None:
    longest = max((paper.title for paper in starter.library.papers()), key=len)
    page.set_viewport_size(NARROW)
    show(page, starter_page)
    options(page)
    narrow(page, "Sources", "listing-1.txt")
    ask(page, HYDRAGEN)
    ask(page, "Compare Hydragen and FlashAttention")
    ask(page, f"What is {longest} about?")
    ask(page, "x" * 300)
    for details in page.locator("summary").all():
        details.click()
    assert page.evaluate("document.documentElement.scrollWidth") == NARROW["width"]
    too_wide = (
        "[...document.querySelectorAll('#pa-chat *, #pa-dock *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1).length"
    )
    assert page.evaluate(too_wide) == 0


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_the_latest_question_and_the_start_of_its_answer_come_into_view(page: Page, starter_page: str, size: dict[str, int]) -> None:
    page.set_viewport_size(size)
    show(page, starter_page)
    for question in (HYDRAGEN, "Which papers deal with KV cache compression?", OFF_TOPIC):
        ask(page, question)
        assert is_in_view(page, ".pa-question"), question
        assert is_in_view(page, ".pa-answer"), question


def test_what_was_opened_stays_open_while_the_next_answer_comes(page: Page, starter_page: str) -> None:
    show(page, starter_page)
    ask(page, HYDRAGEN)
    page.locator(".pa-source summary").first.click()
    ask(page, OFF_TOPIC)
    expect(page.locator(".pa-source[open]")).to_have_count(1)


def test_nothing_of_the_toolkit_clutters_the_page(page: Page, starter_page: str) -> None:
    show(page, starter_page)
    ask(page, HYDRAGEN)
    for name in ("Flag", "Settings", "Use via API", "Built with Gradio", "Share", "Clear", "Like", "Copy", "Undo"):
        expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)
        expect(page.get_by_role("link", name=name)).to_have_count(0)
    expect(page.locator("footer")).to_be_hidden()
    assert page.title() == "Paper Assistant"


def test_a_screen_reader_is_told_the_words_of_a_message_not_its_markup(page: Page, starter_page: str) -> None:
    show(page, starter_page)
    ask(page, HYDRAGEN)
    expect(page.get_by_role("log")).to_be_visible()
    labels = page.evaluate("[...document.querySelectorAll('[aria-label]')].map((e) => e.getAttribute('aria-label'))")
    assert not [label for label in labels if "<" in label]


def test_a_server_that_runs_here_is_offered_unused_and_chosen_in_one_step(page: Page, offering: tuple[str, WireServer]) -> None:
    url, server = offering
    show(page, url)
    offer = page.get_by_role("button", name=server.spec, exact=True)
    expect(offer).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("#pa-writes")).to_contain_text("no LLM")
    ask(page, TIDE)
    expect(page.locator(".pa-foot").last).to_contain_text("Quoted, no LLM")
    expect(offer).to_be_hidden()
    assert server.questions() == []
    page.get_by_role("button", name="New conversation").click()
    offer.click()
    expect(page.locator("#pa-writes")).to_contain_text(f"Answers by {server.spec}")
    expect(offer).to_be_hidden()
    ask(page, TIDE)
    expect(page.locator(".pa-foot").last).to_contain_text(f"Written by {server.spec}")
    assert len(server.questions()) == 1
    page.reload()
    expect(page.locator("#pa-writes")).to_contain_text(f"Answers by {server.spec}")
    choose_llm(page, "No LLM")
    ask(page, "What does TideCache evict first?")
    expect(page.locator(".pa-foot").last).to_contain_text("Quoted, no LLM")
    assert len(server.questions()) == 1


def test_an_llm_is_set_up_with_its_key_which_goes_to_its_address_alone_and_never_comes_back(
    page: Page, offering: tuple[str, WireServer], keyed: WireServer
) -> None:
    url, _ = offering
    got: list[str] = []
    page.on("response", lambda response: got.append(response.text()) if "config" in response.url or response.url == f"{url}/" else None)
    show(page, url)
    page.get_by_role("tab", name="LLM").click()
    expect(page.locator("#pa-llms")).to_contain_text("OpenAIIt has no key.")
    expect(page.locator("#pa-llms")).to_contain_text("Give one below, or set OPENAI_API_KEY")
    page.get_by_label("Provider").select_option("openai-like")
    page.get_by_label("Address").fill(keyed.address)
    report, key = page.locator("#pa-llm-report"), page.get_by_label("Key, where it wants one")
    use = page.get_by_role("button", name="Try it, and use it")
    page.get_by_role("textbox", name="Model").fill(keyed.wire.model)
    key.fill("sk-wrong-key")
    use.click()
    expect(report).to_contain_text("refused the key")
    expect(report).to_contain_text("It is not used")
    expect(page.locator("#pa-llms")).not_to_contain_text("Until the program ends")
    key.fill(KEY)
    use.click()
    expect(report).to_contain_text("It writes the answers from now on")
    expect(key).to_have_value("")
    expect(page.locator("#pa-llms")).to_contain_text(f"{keyed.address.removesuffix('/v1')}Until the program ends.")
    assert not keys.file().exists()
    page.get_by_role("tab", name="Chat").click()
    ask(page, TIDE)
    expect(page.locator(".pa-foot").last).to_contain_text(f"Written by openai-like:{keyed.wire.model}@{keyed.address}")
    assert keyed.questions()[-1]["temperature"] == 0.0
    page.reload()
    expect(page.locator(".pa-question")).to_have_text([TIDE])
    page.get_by_role("tab", name="LLM").click()
    expect(page.locator("#pa-llms li[aria-current]")).to_contain_text(keyed.address)
    assert not any(KEY in text for text in [*got, page.content()])
    assert page.evaluate("[...document.querySelectorAll('input')].map((one) => one.value)").count(KEY) == 0
    page.get_by_role("button", name="Forget the key").click()
    expect(page.locator("#pa-llms")).not_to_contain_text("Until the program ends")
    page.get_by_role("button", name="Use No LLM").click()
    expect(page.locator("#pa-writes")).to_contain_text("no LLM")


def test_without_a_models_name_the_servers_models_are_shown_to_be_chosen(page: Page, offering: tuple[str, WireServer]) -> None:
    url, server = offering
    show(page, url)
    page.get_by_role("tab", name="LLM").click()
    page.get_by_label("Provider").select_option("ollama")
    page.get_by_role("button", name="Try it, and use it").click()
    page.locator("#pa-llm-report").get_by_role("button", name=f"Use {server.spec}").click()
    expect(page.locator("#pa-writes")).to_contain_text(f"Answers by {server.spec}")
    page.get_by_role("button", name="Use No LLM").click()
    expect(page.locator("#pa-writes")).to_contain_text("no LLM")


def test_a_sentence_that_no_paper_supports_looks_unlike_the_others(page: Page, offering: tuple[str, WireServer]) -> None:
    url, server = offering
    show(page, url)
    page.get_by_role("button", name=server.spec, exact=True).click()
    expect(page.locator("#pa-writes")).to_contain_text("Answers by")
    ask(page, TIDE)
    doubted = page.locator(".pa-unsupported")
    expect(doubted).to_have_count(1)
    expect(doubted).to_have_text(re.compile(r"^It was written on the moon\..*not found in the papers$"))
    colours = "(e) => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]"
    assert all(one != other for one, other in zip(doubted.evaluate(colours), page.locator(".pa-answer p").evaluate(colours), strict=True))
    contrasts = page.evaluate(CONTRASTS)
    assert min(contrasts.values()) >= 4.5, contrasts
    choose_llm(page, "No LLM")


def conversation(page: Page, title: str) -> Any:
    return page.locator(".pa-shelf a", has_text=title)


def test_a_reload_shows_the_conversation_again_and_a_follow_up_still_works(page: Page, paced_page: str, paced: PacedLLM) -> None:
    show(page, paced_page)
    paced.let(200)
    ask(page, TIDE)
    page.reload()
    expect(page.locator(".pa-question")).to_have_text([TIDE])
    expect(page.locator(".pa-source summary")).to_contain_text("TideCache")
    ask(page, "And the accuracy?")
    expect(page.locator(".pa-question")).to_have_text([TIDE, "And the accuracy?"])
    assert TIDE in paced.prompts[-1]
    drain(paced)


def test_a_reload_in_the_middle_of_an_answer_keeps_the_question_and_what_had_come(page: Page, paced_page: str, paced: PacedLLM) -> None:
    show(page, paced_page)
    send(page, TIDE)
    paced.let(16)
    expect(page.locator(".pa-coming")).to_contain_text("TideCache cuts", timeout=30_000)
    expect(page).to_have_url(re.compile("c="))
    page.reload()
    expect(page.locator(".pa-question")).to_have_text([TIDE])
    paced.let(100)
    for _ in range(20):  # until the answer is there, or its reader was noticed to be gone
        page.reload()
        expect(page.locator("#pa-chat .bot-row .pa-answer, #pa-chat .bot-row .pa-waiting").first).to_be_visible()
        if page.locator(".pa-answer").count():
            break
    expect(page.locator(".pa-answer")).to_contain_text("TideCache cuts")
    expect(page.locator(".pa-question")).to_have_text([TIDE])
    drain(paced)


def test_two_tabs_on_one_conversation_lose_no_turn(context: BrowserContext, paced_page: str, paced: PacedLLM) -> None:
    first, second = context.new_page(), context.new_page()
    show(first, paced_page)
    paced.let(200)
    ask(first, TIDE)
    second.goto(first.url)
    expect(second.locator(".pa-question")).to_have_text([TIDE])
    ask(second, "What does TideCache evict first?")
    ask(first, "And the accuracy?")
    expect(first.locator(".pa-question")).to_have_text([TIDE, "What does TideCache evict first?", "And the accuracy?"])
    drain(paced)


def test_a_conversation_is_found_renamed_exported_deleted_and_brought_back(page: Page, starter_page: str) -> None:
    show(page, starter_page)
    ask(page, HYDRAGEN)
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator(".pa-question")).to_have_count(0)
    ask(page, OFF_TOPIC)
    conversation(page, HYDRAGEN).first.click()
    expect(page.locator(".pa-question")).to_have_text([HYDRAGEN])
    name = page.get_by_label("Name of the conversation")
    name.fill("Quagga notes")
    name.press("Enter")
    expect(conversation(page, "Quagga notes")).to_have_attribute("aria-current", "page")
    page.get_by_label("Search conversations").fill("QUAGGA")
    expect(page.locator(".pa-shelf a")).to_have_text(["Quagga notes"])
    with page.expect_download() as saving:
        page.get_by_role("button", name="Export Markdown").click()
    text = Path(saving.value.path()).read_text(encoding="utf-8")
    assert saving.value.suggested_filename == "Quagga-notes.md"
    assert f"## {HYDRAGEN}" in text and "```bibtex\n@misc{hydragen" in text
    with page.expect_download() as saving:
        page.get_by_role("button", name="Export JSON").click()
    assert json.loads(Path(saving.value.path()).read_text(encoding="utf-8"))["exchanges"][0]["answer"]["citations"]
    address = page.url
    page.get_by_role("button", name="Delete").click()
    expect(conversation(page, "Quagga notes")).to_have_count(0)
    expect(page.locator(".pa-question")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".pa-question")).to_have_text([HYDRAGEN])
    assert page.url == address


def test_a_link_to_a_conversation_that_is_not_there_says_so(page: Page, starter_page: str) -> None:
    page.goto(f"{starter_page}/?c=no-such-one")
    expect(page.get_by_text("There is no conversation under this link")).to_be_visible()
    expect(page).to_have_url(f"{starter_page}/")


def test_a_marker_shows_title_and_quote_under_the_pointer_and_under_the_focus(page: Page, starter_page: str) -> None:
    show(page, starter_page)
    ask(page, HYDRAGEN)
    mark, peek = page.locator("a.pa-mark").first, page.get_by_role("tooltip")
    size = mark.bounding_box()
    assert size is not None and min(size["width"], size["height"]) >= 24
    mark.hover()
    expect(peek).to_contain_text("Hydragen: High-Throughput LLM Inference with Shared Prefixes“")
    page.keyboard.press("Escape")
    expect(peek).to_be_hidden()
    mark.focus()
    expect(peek).to_be_visible()


def test_references_quotes_and_answers_are_copied(page: Page, starter_page: str) -> None:
    show(page, starter_page)
    ask(page, HYDRAGEN)
    page.locator(".pa-source summary").first.click()
    for button, copied in (
        ("Copy BibTeX", "@misc{hydragen"),
        ("Copy citation", "Hydragen: High-Throughput LLM Inference with Shared Prefixes"),
        ("Copy quote", "“"),
        ("Copy answer", "\n\n1. Hydragen"),
    ):
        page.get_by_role("button", name=button).first.click()
        expect(page.get_by_role("button", name="Copied").first).to_be_visible()
        assert copied in page.evaluate("navigator.clipboard.readText()"), button


def test_the_nearest_papers_of_a_decline_can_be_opened_and_asked_about(page: Page, starter_page: str, starter: Assistant) -> None:
    show(page, starter_page)
    ask(page, OFF_TOPIC)
    nearest = page.locator(".pa-nearest").first
    title = nearest.locator(".pa-title").inner_text()
    nearest.locator("summary").click()
    [paper] = [paper for paper in starter.library.papers() if paper.display_title == title]
    expect(nearest.locator(".pa-abstract")).to_have_text(paper.abstract)
    nearest.get_by_role("button", name="Ask about this paper").click()
    box = page.get_by_role("textbox", name="Your question")
    expect(box).to_have_value(f"What does “{title}” say?")
    box.press("Enter")
    ready(page)
    expect(page.locator(".pa-source:not(.pa-nearest) .pa-title").first).to_have_text(title)


def test_a_newcomer_goes_from_an_empty_library_to_exported_answers(
    page: Page, empty_page: tuple[str, Library], arxiv: ServiceServer, tmp_path: Path
) -> None:
    url, library = empty_page
    page.goto(url)
    expect(page.get_by_role("button", name="Use the starter library")).to_be_visible()
    expect(page.get_by_role("textbox", name="Your question")).to_be_hidden()

    # Papers come in: a file, one that has none, pasted records; and by their ids, when that is asked for.
    (tmp_path / "..%2Fkettles.bib").write_text(BIBTEX)
    (tmp_path / "letter.txt").write_text("Dear all, no paper is in here.")
    with page.expect_file_chooser() as choosing:
        page.locator("#pa-files button").first.click()
    choosing.value.set_files([tmp_path / "..%2Fkettles.bib", tmp_path / "letter.txt"])
    expect(page.locator("#pa-files")).to_contain_text("letter")
    page.get_by_label("Or paste records").fill(RIS)
    page.get_by_role("button", name="Add to the library").click()
    report = page.locator(".pa-report[role=status]")
    expect(report).to_contain_text("2 new")
    expect(report).to_contain_text("letter.txt")
    expect(page.locator(".pa-header")).to_contain_text("2 papers")
    kept = sorted(path.name for path in (library.home / "added").iterdir())
    assert len(kept) == 2 and kept[0].endswith("kettles.bib") and kept[1].startswith("pasted-")
    assert arxiv.calls == []
    page.get_by_label("Or paste records").fill("arXiv:2401.00007")
    page.get_by_role("button", name="Add to the library").click()
    expect(report).to_contain_text("1 new")
    assert [call.params["id_list"] for call in arxiv.calls] == ["2401.00007"]
    page.get_by_role("button", name="Undo: take out").click()
    expect(page.locator(".pa-header")).to_contain_text("2 papers")

    # Asked, opened, followed up, another subject.
    page.get_by_role("tab", name="Chat").click()
    ask(page, KETTLE)
    expect(page.locator(".pa-source summary").first).to_contain_text("Ada Moss")
    page.locator(".pa-source summary").first.click()
    expect(page.locator(".pa-source mark").first).to_contain_text("three times faster")
    ask(page, "And does it need a new plug?")
    expect(page.locator(".pa-answer").last).to_contain_text("new plug")
    ask(page, "How long does tea stay warm in a shaped cup?")
    expect(page.locator(".pa-source .pa-title").last).to_have_text("Slow Cups for Quiet Mornings")
    page.get_by_role("button", name="Copy answer").last.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert "1. Slow Cups for Quiet Mornings" in page.evaluate("navigator.clipboard.readText()")

    # Found again, and taken along.
    page.goto(url)
    conversation(page, KETTLE).click()
    expect(page.locator(".pa-question")).to_have_count(3)
    with page.expect_download() as saving:
        page.get_by_role("button", name="Export Markdown").click()
    text = Path(saving.value.path()).read_text(encoding="utf-8")
    assert f"## {KETTLE}" in text and text.count("```bibtex") == 1 and "Moss, Ada" in text


def test_the_library_is_searched_sorted_mapped_compared_and_kept_for_reading(page: Page, offering: tuple[str, WireServer]) -> None:
    url, _ = offering
    show(page, url)
    page.get_by_role("tab", name="Library").click()
    titles = page.locator(".pa-table .pa-open")
    expect(titles.first).to_be_visible()
    page.get_by_role("columnheader", name="Title").get_by_role("button").click()
    expect(page.get_by_role("columnheader", name="Title")).to_have_attribute("aria-sort", "ascending")
    shown = titles.all_text_contents()
    assert len(shown) > 3 and shown == sorted(shown, key=str.lower)
    page.get_by_label("Search the library").press_sequentially("tidecache")
    expect(titles).to_have_count(1)
    titles.first.click()
    opened = page.locator("#pa-paper")
    expect(opened).to_contain_text("Most similar")
    expect(opened).to_contain_text("radix tree")
    opened.get_by_role("button", name="Read later").click()
    expect(opened.get_by_role("button", name="Read later")).to_have_count(0)
    page.get_by_label("Search the library").fill("")
    expect(titles).not_to_have_count(1)
    for box in page.locator(".pa-table input[type=checkbox]").all()[:2]:
        box.check()
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.locator("#pa-compare-html th .pa-open")).to_have_count(2)
    page.get_by_label("Ask each of them").fill("What does it cut?")
    page.get_by_label("Ask each of them").press("Enter")
    expect(page.locator("#pa-compare-html")).to_contain_text("What does it cut?")
    page.get_by_text("Reading list", exact=True).click()
    expect(page.locator("#pa-reading-html")).to_contain_text("TideCache")
    with page.expect_download() as saving:
        page.get_by_role("button", name="Export BibTeX").click()
    assert "TideCache" in Path(saving.value.path()).read_text(encoding="utf-8")
    page.get_by_text("Map", exact=True).click()
    cluster = page.locator(".pa-cluster").first
    expect(cluster).to_be_visible()
    cluster.click()
    expect(cluster).to_have_attribute("aria-expanded", "true")


def test_another_page_of_this_machine_can_neither_read_nor_use_nor_frame_it(page: Page, starter_page: str, other_page: str) -> None:
    asked: list[int] = []
    page.on("response", lambda response: asked.append(response.status) if response.url.startswith(starter_page) else None)
    failed: list[str] = []
    page.on("requestfailed", lambda request: failed.append(request.url) if request.url.startswith(starter_page) else None)
    page.goto(other_page)
    page.evaluate(
        """async (url) => {
          for (const path of ["/config", "/gradio_api/info"]) await fetch(url + path, { mode: "no-cors" }).catch(() => 0);
          for (const path of ["/gradio_api/queue/join", "/gradio_api/upload", "/gradio_api/run/ask"])
            await fetch(url + path, { method: "POST", mode: "no-cors", body: new Blob(["{}"]) }).catch(() => 0);
          const frame = document.createElement("iframe");
          frame.src = url;
          document.documentElement.append(frame);
          await new Promise((done) => { frame.onload = done; setTimeout(done, 3000); });
        }""",
        starter_page,
    )
    assert len(asked) + len(failed) >= 6 and set(asked) <= {403}
