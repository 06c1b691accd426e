"""Answerers: one that quotes, one that asks an LLM. Both make a `Draft` from a `Request`."""

from assistant.answering.base import Draft, Request, Source

__all__ = ["Draft", "Request", "Source"]
