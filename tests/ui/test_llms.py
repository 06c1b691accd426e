"""What is told of the LLMs that there are."""

from __future__ import annotations

from assistant.llms import EXTRACTIVE, keys
from assistant.llms.base import pip_line
from assistant.llms.diagnosis import Step
from assistant.llms.discovery import Discovered, Hurdle, Offer, Server
from assistant.llms.keys import GivenKey
from assistant.llms.registry import PROVIDERS
from tests.ui.test_render import HOSTILE
from ui.llms import Writers, form_html, models_html, trial_html, writers_html


def test_what_is_ready_can_be_used_and_what_is_in_use_is_marked_once() -> None:
    html = writers_html(Writers("ollama:a", [Offer("ollama:a", "Ollama runs"), Offer("anthropic:c", "a key", pip_line("anthropic"))]))
    assert html.count("aria-current") == 1 and html.count("In use") == 1
    assert f'data-use="{EXTRACTIVE}"' in html and 'data-use="ollama:a"' not in html and "anthropic:c" not in html
    assert 'aria-current="true"><div><b>openai-like:x@http://h</b>' in writers_html(Writers("openai-like:x@http://h"))


def test_what_is_not_ready_says_why_and_its_step() -> None:
    html = writers_html(Writers(EXTRACTIVE, hurdles=[Hurdle("openai", "it has no key", "give one below"), Hurdle("x", "y", "pip x", True)]))
    assert "It has no key." in html and "<em>Give one below.</em>" in html and "<code>pip x</code>" in html


def test_a_key_is_told_by_its_address_alone() -> None:
    keys.give("https://models.example/v1", "sk-secret-key")
    try:
        html = writers_html(Writers(EXTRACTIVE, keys=keys.given()))
    finally:
        keys.forget("https://models.example")
    assert 'data-forget="https://models.example:443"' in html and "sk-secret" not in html


def test_nothing_that_is_not_ours_becomes_markup() -> None:
    for text in HOSTILE:
        shown = [
            writers_html(Writers(text, [Offer(text, text)], [Hurdle(text, text, text, True)], [GivenKey(text, True)], text, text)),
            form_html([PROVIDERS["openai"]], text, True),
            trial_html(text, [Step(text, False, text)], True),
            models_html(text, [text]),
        ]
        for html in shown:
            assert text not in html or not set(text) & set("<>\"'&")


def test_every_provider_is_ready_or_has_a_step() -> None:
    served = Discovered((Server("Ollama", "ollama", "http://127.0.0.1:1", ("ollama:m",)),), ("openai",))
    told = {one.provider: one for one in served.hurdles("small:1b")}
    assert set(PROVIDERS) - set(told) == {"openai", "ollama"}
    empty = {one.provider: one for one in Discovered((Server("Ollama", "ollama", "http://127.0.0.1:1", ()),)).hurdles("small:1b")}
    assert empty["ollama"].step == "ollama pull small:1b" and empty["ollama"].is_command
    assert "OPENAI_API_KEY" in empty["openai"].step
    assert "ollama pull small:1b" in {one.provider: one for one in Discovered().hurdles("small:1b")}["ollama"].step
