"""LLMs, by name. Importing this loads none."""

from assistant.llms.base import EXTRACTIVE, LLMOptions, Provider
from assistant.llms.client import Patience, ask
from assistant.llms.registry import PROVIDERS, load_llm

__all__ = ["EXTRACTIVE", "PROVIDERS", "LLMOptions", "Patience", "Provider", "ask", "load_llm"]
