"""What can write the answers, as HTML: what is ready, what hinders the rest, keys, and a form to set one up. Pure functions.

Names of models and what servers say are untrusted, and escaped. No key ever comes in here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assistant.llms import EXTRACTIVE
from assistant.llms.base import Provider
from assistant.llms.diagnosis import Step
from assistant.llms.discovery import Hurdle, Offer
from assistant.llms.keys import GivenKey
from ui.markup import copies, escape

_NAMES = {
    "openai": "OpenAI",
    "anthropic": "Anthropic",
    "ollama": "Ollama",
    "openai-like": "A server that speaks OpenAI’s protocol",
    "huggingface": "A model’s folder (transformers)",
    "llamacpp": "A GGUF file (llama.cpp)",
}
_QUOTING = "Answers are the papers’ own sentences. Nothing leaves this machine, nothing is to be set up."
_MOST_MODELS = 12


@dataclass(frozen=True)
class Writers:
    """What there is to choose from."""

    used: str
    """The LLM that writes now."""
    offers: Sequence[Offer] = ()
    hurdles: Sequence[Hurdle] = ()
    keys: Sequence[GivenKey] = ()
    started: str = EXTRACTIVE
    """What the page was started with."""
    unusable: str = ""
    """Why what it was to be started with is not used."""


def writers_html(writers: Writers) -> str:
    """What is ready, with what is in use marked; what is not, with the step that would make it so; the addresses that have keys."""
    ready = [(EXTRACTIVE, _QUOTING)]
    if writers.started != EXTRACTIVE:
        ready.append((writers.started, "What the page was started with."))
    ready += [(offer.name, f"{offer.why}.") for offer in writers.offers if offer.first is None and offer.name != writers.started]
    if writers.used not in {name for name, _ in ready}:
        ready.append((writers.used, "Set up by you."))
    notice = f'<p class="pa-warning">{escape(writers.unusable)}.</p>' if writers.unusable else ""
    parts = [
        '<div class="pa-add"><h2>What writes the answers</h2><p>Every sentence that an LLM writes is checked against the abstracts it '
        "cites. One that fails costs nothing: the answer then quotes.</p></div>",
        notice,
        '<h3>Ready here</h3><ul class="pa-llms">',
        *(_ready(name, why, name == writers.used) for name, why in ready),
        "</ul>",
    ]
    if writers.hurdles:
        parts += ['<h3>Not ready, and what would make them so</h3><ul class="pa-llms">', *map(_hurdle, writers.hurdles), "</ul>"]
    if writers.keys:
        parts += ['<h3>Keys</h3><ul class="pa-llms">', *map(_key, writers.keys), "</ul>"]
    return "".join(parts)


def form_html(providers: Sequence[Provider], file: str, may_remember: bool) -> str:
    """The form by which an LLM is set up, tried and used. `file`: where keys are kept."""
    choices = "".join(
        f'<option value="{escape(one.name)}" data-key="{int(one.key_variable is not None)}" '
        f'data-address="{int("@" in one.form)}">{escape(_NAMES.get(one.name, one.form))}</option>'
        for one in providers
    )
    remember = '<label class="pa-tick"><input type="checkbox" name="remember"> Use it after a restart, too</label>' if may_remember else ""
    return (
        '<form class="pa-llm-form" autocomplete="off"><h3>Set one up</h3><div class="pa-fields">'
        f'<label>Provider<select name="provider" aria-label="Provider">{choices}</select></label>'
        '<label>Model<input name="model" spellcheck="false" placeholder="empty: show what there is"></label>'
        '<label data-for="address">Address<input name="address" inputmode="url" spellcheck="false" '
        'placeholder="http://127.0.0.1:8000/v1"></label>'
        '<label data-for="key">Key, where it wants one<input name="key" type="password" autocomplete="new-password" spellcheck="false">'
        "</label>"
        '<label>Temperature: <output>0</output><input name="temperature" type="range" min="0" max="1" step="0.1" value="0"></label>'
        "</div>"
        f'<label class="pa-tick" data-for="key"><input type="checkbox" name="keep"> Keep the key in <code>{escape(file)}</code>, '
        "readable by you alone; else it is forgotten when the program ends</label>"
        f'{remember}<p class="pa-note">A key is sent to the address it was given for, and to no other; never back to this page.</p>'
        '<button type="submit" class="pa-primary">Try it, and use it</button></form>'
    )


def trial_html(name: str, steps: Sequence[Step], is_done: bool) -> str:
    """How far a trial is, and what came of it."""
    rows = "".join(
        f'<li class="{"pa-went" if one.ok else "pa-went-not"}"><b>{escape(one.name)}</b> {escape(one.told)}{_seconds(one)}</li>'
        for one in steps
    )
    failed = bool(steps) and not steps[-1].ok
    end = "Trying…" if not is_done else "It is not used, since this failed." if failed else "It writes the answers from now on."
    return f'<div class="pa-report" role="status"><p>{escape(name)}</p><ul>{rows}</ul><p>{end}</p></div>'


def models_html(address: str, names: Sequence[str]) -> str:
    """The models that a server has, each to be used at one click."""
    if not names:
        return f'<div class="pa-report" role="status"><p>{escape(address)} has no model: load one there.</p></div>'
    shown = "".join(_ready(name, "", False) for name in names[:_MOST_MODELS])
    more = f"<p>and {len(names) - _MOST_MODELS:,} more: write the name of one of them above.</p>" if len(names) > _MOST_MODELS else ""
    return f'<div class="pa-report" role="status"><p>{escape(address)} has:</p><ul class="pa-llms">{shown}</ul>{more}</div>'


def _ready(name: str, why: str, is_used: bool) -> str:
    shown = "No LLM" if name == EXTRACTIVE else name
    press = (
        '<span class="pa-used">In use</span>'
        if is_used
        else f'<button type="button" class="pa-do" data-use="{escape(name)}" aria-label="Use {escape(shown)}">Use</button>'
    )
    current = ' aria-current="true"' if is_used else ""
    return f"<li{current}><div><b>{escape(shown)}</b><span>{escape(why)}</span></div>{press}</li>"


def _hurdle(one: Hurdle) -> str:
    step = f"<code>{escape(one.step)}</code>{copies('Copy', one.step)}" if one.is_command else f"<em>{escape(_sentence(one.step))}</em>"
    return (
        f"<li><div><b>{escape(_NAMES.get(one.provider, one.provider))}</b><span>{escape(_sentence(one.why))}</span></div>"
        f'<div class="pa-step">{step}</div></li>'
    )


def _key(one: GivenKey) -> str:
    kept = "Kept in your file of keys." if one.is_kept else "Until the program ends."
    origin = escape(one.origin)
    forget = f'<button type="button" class="pa-do" data-forget="{origin}" aria-label="Forget the key of {origin}">Forget</button>'
    return f"<li><div><b>{origin}</b><span>{kept}</span></div>{forget}</li>"


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _seconds(step: Step) -> str:
    if step.first_text_ms is None or step.total_ms is None:
        return ""
    return f" (first words after {step.first_text_ms / 1000:.1f} s, all after {step.total_ms / 1000:.1f} s)"
