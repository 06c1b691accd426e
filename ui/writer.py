"""What writes the answers: the choice of an LLM, and what was noticed on this machine, offered and never used by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import gradio as gr

from assistant import Assistant
from assistant.llms import EXTRACTIVE
from assistant.llms.discovery import Offer, discover
from ui.frame import AT_ONCE
from ui.reader import Choice
from ui.render import noticed_html

_MOST_BUTTONS = 3
"""LLMs that are offered as a button; the choice among the options has all."""


class WriterChoice:
    """The choice of an LLM for one tab's questions."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant

    def build_offers(self) -> None:
        """The line that offers what was noticed: hidden while there is nothing, and (by the style) once a conversation has begun."""
        with gr.Row(visible=False, elem_id="pa-offers") as self.row:
            self.words = gr.HTML()
            self.buttons = [gr.Button(visible=False, size="sm", scale=0, elem_classes="pa-offer") for _ in range(_MOST_BUTTONS)]

    def build_choice(self) -> None:
        """All there is to choose from."""
        mode = self._assistant.mode
        self.llm = gr.Dropdown(_choices(mode, ()), value=mode, label="LLM", allow_custom_value=True, min_width=120, elem_id="pa-llm")

    def wire(self, choice: gr.State, header: gr.HTML, told: Callable[[str], str], panel: gr.Accordion) -> None:
        """`header`: what names the LLM, and what it then says; `panel`: what is looked for anew when it is opened."""
        self._told = told
        for look_at in (gr.context.Context.root_block.load, panel.expand):  # type: ignore[union-attr]
            look_at(self.noticed, self.llm, [self.llm, self.row, self.words, *self.buttons], **AT_ONCE)
        for button in self.buttons:
            button.click(str, button, self.llm, **AT_ONCE)
        self.llm.change(self.chosen, [choice, self.llm], [choice, header, self.row], **AT_ONCE)

    def noticed(self, llm: str | None) -> list[Any]:
        """What could write answers here: for the choice, in words, and as a button for each. None of it is used unless it is chosen."""
        offers = discover().offers()
        ready = [offer.name for offer in offers if offer.first is None][:_MOST_BUTTONS] if llm == EXTRACTIVE else []
        buttons = [gr.Button(name, visible=True) for name in ready]
        return [
            gr.Dropdown(_choices(self._assistant.mode, offers), value=llm),
            gr.Row(visible=bool(offers) and llm == EXTRACTIVE),
            noticed_html(offers),
            *buttons,
            *[gr.Button(visible=False)] * (_MOST_BUTTONS - len(buttons)),
        ]

    def chosen(self, choice: Choice, llm: str | None) -> tuple[Choice, str, Any]:
        """The header for the LLM that a reader chose; what was offered is then gone."""
        name = (llm or "").strip() or EXTRACTIVE
        return replace(choice, llm=name), self._told(name), gr.Row(visible=False) if name != EXTRACTIVE else gr.skip()


def _choices(llm: str, offers: Sequence[Offer]) -> list[str]:
    """The LLMs to choose from: the one that answers at first, none, and those that were noticed and can be used at once."""
    return list(dict.fromkeys([llm, EXTRACTIVE, *(offer.name for offer in offers if offer.first is None)]))
