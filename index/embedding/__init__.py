"""Embedding models: the contract, the one that is used, and a toy for tests."""

from index.embedding.base import Embedder, Encoded, ModelChoice, Vectors, embed
from index.embedding.minilm import MiniLM
from index.embedding.toy import ToyEmbedder

__all__ = ["Embedder", "Encoded", "MiniLM", "ModelChoice", "ToyEmbedder", "Vectors", "embed"]
