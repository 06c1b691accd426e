"""LLMs, by name. Importing this loads none."""

from assistant.llms.base import EXTRACTIVE, Provider
from assistant.llms.registry import PROVIDERS, load_llm

__all__ = ["EXTRACTIVE", "PROVIDERS", "Provider", "load_llm"]
