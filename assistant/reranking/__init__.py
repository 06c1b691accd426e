"""Rerankers: a second look at the first papers found. Importing this loads none."""

from assistant.reranking.base import Reranker, passage, rerank
from assistant.reranking.cross_encoder import CrossEncoderReranker
from assistant.reranking.loading import load_reranker
from assistant.reranking.postprocessor import PostprocessorReranker

__all__ = ["CrossEncoderReranker", "PostprocessorReranker", "Reranker", "load_reranker", "passage", "rerank"]
