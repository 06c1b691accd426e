"""What the providers that run a model in this process share: one loaded model, its prompt, its files.

Loading takes seconds and gigabytes, so the model asked for last is kept. Knows no particular library.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from assistant.llms.suggestions import hint

if TYPE_CHECKING:
    from llama_index.core.llms import ChatMessage

T = TypeVar("T")

_loading = threading.Lock()
_kept: dict[Hashable, object] = {}


def kept(name: Hashable, load: Callable[[], T]) -> T:
    """What `load` makes, once for this name until another is asked for. Safe from many threads."""
    with _loading:
        if name not in _kept:
            _kept.clear()
            _kept[name] = load()
        return _kept[name]  # type: ignore[return-value]


def plain_prompt(messages: Sequence[ChatMessage]) -> str:
    """The prompt for a model that brings no chat template: it goes on writing after `Answer:`."""
    return "\n\n".join(str(message.content) for message in messages) + "\n\nAnswer:"


def beside(path: Path, wanted: Callable[[Path], bool]) -> str:
    """Which files there are where one is missing: the nearest name, or some names."""
    if not path.parent.is_dir():
        return f"there is no folder {path.parent} either"
    return hint(path.name, sorted(each.name for each in path.parent.iterdir() if wanted(each)))
