"""What can be fitted. Importing it loads nothing heavy."""

from __future__ import annotations

from enum import StrEnum


class Part(StrEnum):
    """What can be fitted alone; but for the intents, the name of its section in `assistant/fitted.json`."""

    JOINING = "joining"
    SENTENCES = "sentences"
    VERDICT = "verdict"
    SUPPORT = "support"
    INTENT = "intent"
