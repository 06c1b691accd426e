"""LLMs, by name. Importing this loads none."""

from assistant.llms.base import EXTRACTIVE, LLMOptions, Provider
from assistant.llms.client import RetryPolicy, ask
from assistant.llms.registry import PROVIDERS, load_llm, providers

__all__ = ["EXTRACTIVE", "PROVIDERS", "LLMOptions", "Provider", "RetryPolicy", "ask", "load_llm", "providers"]
