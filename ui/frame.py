"""What the page's parts share: the assistant, who is looking, and which papers are asked. One part is one `build(frame)`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from assistant import Assistant
from assistant.conversations import Conversations

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "api_name": False}
"""For every event of the page: no spinner over what is shown, no public endpoint, and no name taken from those of `ui.endpoints`."""
AT_ONCE: dict[str, Any] = {**QUIET, "queue": False}
"""For events that take no time."""


@dataclass(frozen=True)
class Frame:
    """What a part of the page is built with. Titles in HTML go through `ui.markup.escape`; a question goes to the box by `asks`."""

    assistant: Assistant
    conversations: Conversations
    """Of all users; `conversations.owned_by(view.owner)` are one user's."""
    view: gr.State
    """A `ui.conversation.View`: the user, and the open conversation."""
    only: gr.State
    """The ids of the papers that alone are asked; empty for all. Setting it opens the chat, in an event that is queued (`QUIET`):
    of others Gradio tells no change of a state."""
    may_change: bool
    """Whether readers may change the library."""
