"""The errors of the assistant layer.

AssistantError             anything below; its message says what happened and what to do
├── QuestionError          the question is empty or too long
├── EmptyLibraryError      the home holds no papers yet
├── StoppedError           whoever asked no longer wants the answer
├── FilterError            a filter cannot be understood
├── ReaderError            the reader's weights are missing, damaged or others
├── FittedError            the file of fitted numbers is missing, damaged or of other signals
├── RerankerError          a reranker cannot be used
├── LLMError               an LLM cannot be used
│   ├── UnknownLLMError    no provider of that name, or the name is not `provider:model`
│   │   └── UnknownModelError  its provider has no such model
│   ├── MissingExtraError  its optional package is not installed
│   ├── MissingKeyError    its key is not in the environment
│   └── LLMFailedError     it was asked and failed, or its model cannot be loaded
└── SettingsError          settings.toml cannot be understood

The library's own errors (`index.errors`) pass through unchanged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.answer import Usage


class AssistantError(Exception):
    """Base of all errors that a user can do something about."""


class QuestionError(AssistantError):
    """The question is empty or too long."""


class EmptyLibraryError(AssistantError):
    """The home holds no papers yet."""


class StoppedError(AssistantError):
    """Whoever asked no longer wants the answer."""


class FilterError(AssistantError):
    """A filter cannot be understood."""


class ReaderError(AssistantError):
    """The reader's weights are missing, damaged or others."""


class FittedError(AssistantError):
    """The file of fitted numbers is missing, damaged, or weighs other signals than the code gives."""


class RerankerError(AssistantError):
    """A reranker cannot be loaded, or failed."""


class LLMError(AssistantError):
    """An LLM cannot be used."""


class UnknownLLMError(LLMError):
    """No provider of that name, or the name is not `provider:model`."""


class UnknownModelError(UnknownLLMError):
    """The name is one of an LLM, but its provider has no such model."""


class MissingExtraError(LLMError):
    """The provider's optional package is not installed."""


class MissingKeyError(LLMError):
    """The provider's key is not in the environment."""


class LLMFailedError(LLMError):
    """The LLM was asked and failed, or could not be loaded. `usage` is what it used until then, where that is known;
    `too_long` whether it refused the prompt for its length."""

    def __init__(self, message: str, usage: Usage | None = None, too_long: bool = False) -> None:
        self.usage = usage
        self.too_long = too_long
        super().__init__(message)


class SettingsError(AssistantError):
    """settings.toml cannot be understood."""
