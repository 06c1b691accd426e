"""What writes the answers: the choice of an LLM, its settings, and what was noticed on this machine, offered and never used by itself.

Gradio components, and what they call; what is shown comes from `ui.llms`. What was chosen holds for the user's tabs until the program ends.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from assistant import Assistant, AssistantError
from assistant.errors import LLMFailedError
from assistant.llms import EXTRACTIVE, LLMOptions, keys
from assistant.llms.base import Provider
from assistant.llms.diagnosis import Step, diagnose
from assistant.llms.discovery import discover
from assistant.llms.endpoints import NoListError
from assistant.llms.recommended import best_for, this_machine
from assistant.llms.registry import known_providers, provider_of
from assistant.settings import save_setting
from ui.frame import AT_ONCE, QUIET
from ui.llms import Writers, form_html, models_html, trial_html, writers_html
from ui.polling import polled
from ui.reader import Choice
from ui.render import notice_html, noticed_html

_MOST_BUTTONS = 3
"""LLMs that are offered as a button above the question; the tab has all."""
_PULSE_SECONDS = 0.3
_LIST_SECONDS = 5.0
_WARMEST = 2.0
_PRESS = """element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-use], [data-forget]');
  const heat = document.querySelector('#pa-llm-form [name=temperature]');
  if (button) trigger('click', { ...button.dataset, temperature: heat?.value });
});"""
_SUBMIT = """const form = element.querySelector('form');
const fit = () => {
  const chosen = form.provider.selectedOptions[0].dataset;
  for (const field of form.querySelectorAll('[data-for]')) field.hidden = chosen[field.dataset.for] !== '1';
};
form.addEventListener('change', fit);
form.addEventListener('input', () => (form.querySelector('output').textContent = form.temperature.value));
form.addEventListener('submit', (event) => {
  event.preventDefault();
  trigger('click', Object.fromEntries(new FormData(form)));
  form.key.value = '';
});
fit();"""
"""The key leaves the field with the press, and nothing ever puts one into it."""


@dataclass(frozen=True)
class Wish:
    """What the form was filled with."""

    spec: str
    """`provider:model`; the model may be lacking."""
    provider: Provider
    rest: str
    key: str
    keep: bool
    remember: bool
    temperature: float

    @property
    def address(self) -> str:
        """Where its server is; empty where it has none. Raises `UnknownLLMError`."""
        return self.provider.service.address(self.rest) if self.provider.service else ""


class WriterChoice:
    """The choice of an LLM for the questions of each user's tabs."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self._options = LLMOptions(assistant.settings.llm_timeout, assistant.settings.llm_context)
        self._chosen: dict[str, tuple[str, float]] = {}
        """LLM and temperature, by user."""

    def build_offers(self) -> None:
        """The line that offers what was noticed: hidden while there is nothing, and (by the style) once a conversation has begun."""
        with gr.Row(visible=False, elem_id="pa-offers") as self.row:
            self.words = gr.HTML()
            self.buttons = [gr.Button(visible=False, size="sm", scale=0, elem_classes="pa-offer") for _ in range(_MOST_BUTTONS)]

    def build(self) -> None:
        """The tab: all there is to choose from, and a form for what is not there yet."""
        self.listed = gr.HTML(js_on_load=_PRESS, elem_id="pa-llms")
        form = form_html(list(known_providers().values()), str(keys.file()), not self._assistant.library.read_only)
        self.form = gr.HTML(form, js_on_load=_SUBMIT, elem_id="pa-llm-form")
        self.report = gr.HTML(js_on_load=_PRESS, elem_id="pa-llm-report")

    def wire(self, choice: gr.State, header: gr.HTML, told: Callable[[str], str], tab: gr.Tab) -> None:
        """`header`: what names the LLM, and what it then says; `tab`: what is looked for anew when it is opened."""
        self._told, self._choice, self._header = told, choice, header
        shown = [choice, header, self.listed, self.row, self.words, *self.buttons]
        gr.context.Context.root_block.load(self.arrive, choice, shown, concurrency_limit=None, **QUIET)  # type: ignore[union-attr]
        tab.select(self.look, choice, [self.listed, self.report], **AT_ONCE)
        for button in self.buttons:
            button.click(self.take, [choice, button], shown, **AT_ONCE)
        for pressed in (self.listed, self.report):
            pressed.click(self.press, choice, [*shown, self.report], **AT_ONCE)
        self.form.click(self.set_up, choice, [*shown, self.report], trigger_mode="once", concurrency_limit=4, **QUIET)

    def arrive(self, choice: Choice, request: gr.Request) -> dict[Any, Any]:
        """What a tab begins with: what its user chose last."""
        llm, temperature = self._chosen.get(request.username or "", (None, 0.0))
        return self._shown(replace(choice, llm=llm, temperature=temperature))

    def look(self, choice: Choice) -> tuple[str, str]:
        """The list, over what is there now."""
        return self._listed(choice), ""

    def take(self, choice: Choice, name: str, request: gr.Request) -> dict[Any, Any]:
        """From now on this LLM writes."""
        return self._taken(choice, name, choice.temperature, request)

    def press(self, choice: Choice, event: gr.EventData, request: gr.Request) -> dict[Any, Any]:
        """An LLM of the list is to be used, or a key forgotten."""
        told = event._data or {}
        try:
            if "forget" in told:
                keys.forget(str(told["forget"]))
                return {self.listed: self._listed(choice)}
            name = str(told.get("use", ""))
            if name not in (EXTRACTIVE, self._assistant.mode):
                provider_of(name)
            return {**self._taken(choice, name, _degrees(told.get("temperature")), request), self.report: ""}
        except AssistantError as error:
            return {self.report: notice_html(str(error))}

    def set_up(self, choice: Choice, event: gr.EventData, request: gr.Request) -> Iterator[dict[Any, Any]]:
        """Tries what the form says, step by step; what works is used. A key that came with what does not work is not kept."""
        try:
            wish = _wish(event._data or {})
            if not wish.rest or wish.rest.startswith("@"):
                yield {self.report: self._models(wish)}
                return
            steps: list[Step] = []
            with ExitStack() as in_vain:
                in_vain.callback(_lend_key(wish, wish.address))
                yield {self.report: trial_html(wish.spec, steps, is_done=False)}
                for step in polled(_steps(wish, self._options), _PULSE_SECONDS):
                    steps += [step] if step else []
                    yield {self.report: trial_html(wish.spec, steps, is_done=False)}
                if not steps[-1].ok:
                    in_vain.close()  # before the failure is shown: the next key may come at once
                    yield {self.report: trial_html(wish.spec, steps, is_done=True)}
                    return
                in_vain.pop_all()
            if wish.key and wish.keep:
                keys.give(wish.address, wish.key, keep=True)
            if wish.remember and not self._assistant.library.read_only:
                if wish.address:
                    keys.named(wish.address)
                save_setting(self._assistant.library.home, "llm", wish.spec)
            done = trial_html(wish.spec, steps, is_done=True)
            yield {**self._taken(choice, wish.spec, wish.temperature, request), self.report: done}
        except AssistantError as error:
            yield {self.report: notice_html(str(error))}

    # Inside

    def _models(self, wish: Wish) -> str:
        """Which models there are, where none was named."""
        if wish.provider.service is None:
            return notice_html(f"Which model? Write what {wish.provider.form} takes after its colon.")
        address = _address(wish) if wish.rest else wish.address
        take_back = _lend_key(wish, address)
        try:
            models = wish.provider.service.models(address, _LIST_SECONDS)
        except NoListError as error:
            take_back()
            return notice_html(f"{address} {error}: check the address, and that its server is running")
        return models_html(address, [f"{wish.provider.name}:{model}{wish.rest}" for model in models])

    def _taken(self, choice: Choice, name: str, temperature: float, request: gr.Request) -> dict[Any, Any]:
        self._chosen[request.username or ""] = (name, temperature)
        return self._shown(replace(choice, llm=name, temperature=temperature))

    def _shown(self, choice: Choice) -> dict[Any, Any]:
        """All that tells what writes."""
        used = self._used(choice)
        offers = discover().offers() if used == EXTRACTIVE else ()
        ready = [offer.name for offer in offers if offer.first is None][:_MOST_BUTTONS]
        buttons: dict[Any, Any] = {button: gr.Button(visible=False) for button in self.buttons}
        buttons |= {button: gr.Button(name, visible=True) for button, name in zip(self.buttons, ready, strict=False)}
        return {
            self._choice: choice,
            self._header: self._told(used),
            self.listed: self._listed(choice),
            self.row: gr.Row(visible=bool(offers)),
            self.words: noticed_html(offers),
            **buttons,
        }

    def _listed(self, choice: Choice) -> str:
        found, own = discover(), self._assistant
        best = best_for(this_machine())
        hurdles = found.hurdles(best.name if best else None)
        return writers_html(Writers(self._used(choice), found.offers(), hurdles, keys.given(), own.mode, own.unusable))

    def _used(self, choice: Choice) -> str:
        return choice.llm or self._assistant.mode


def _steps(wish: Wish, options: LLMOptions) -> Generator[Step, None, None]:
    yield from diagnose(wish.spec, replace(options, temperature=wish.temperature))


def _wish(told: dict[str, Any]) -> Wish:
    """Raises `UnknownLLMError`."""
    name, model, address = (str(told.get(field, "")).strip() for field in ("provider", "model", "address"))
    provider, _ = provider_of(name)
    rest = f"{model}@{address}" if "@" in provider.form and (model or address) else model
    key = str(told.get("key", "")).strip() if provider.key_variable else ""
    return Wish(f"{name}:{rest}", provider, rest, key, "keep" in told, "remember" in told, _degrees(told.get("temperature")))


def _address(wish: Wish) -> str:
    """The address of a wish without a model. Raises `UnknownLLMError`."""
    assert wish.provider.service is not None
    return wish.provider.service.address(f"-{wish.rest}")


def _lend_key(wish: Wish, address: str) -> Callable[[], None]:
    """Gives the key of the form, where it has one, to an address, for this process; what takes it back. Raises `AssistantError`."""
    if not wish.key:
        return lambda: None
    if not address:
        raise LLMFailedError(f"{wish.provider.name} takes no key")
    return keys.give(address, wish.key)


def _degrees(told: Any) -> float:
    """A temperature as it came from the browser."""
    try:
        return min(_WARMEST, max(0.0, float(told)))
    except (TypeError, ValueError):
        return 0.0
