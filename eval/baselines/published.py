"""The embedding model as published, without our adapter: loaded when first used, one for all who use it."""

from index.embedding import MiniLM

PUBLISHED = MiniLM(adapter=None)
