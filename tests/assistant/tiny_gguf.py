"""A tiny model with random weights as a GGUF file, written here by the format's description (version 3)."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np

HOLDS = 512
"""Tokens of its context; a token is a byte."""
TEMPLATE = "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}assistant:"
_WIDTH, _HEADS, _LAYERS, _INNER = 32, 2, 2, 64
_ALIGNED = 32
_U32, _F32, _I32, _STRING, _ARRAY = 4, 6, 5, 8, 9
_NORMAL, _UNKNOWN, _CONTROL, _BYTE = 1, 2, 3, 6


def write_tiny_gguf(path: Path, template: str | None = TEMPLATE) -> Path:
    """The file, holding a two-layer Llama with a tokenizer of single bytes."""
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *"abcdefghijklmnopqrstuvwxyz▁"]
    kinds = [_UNKNOWN, _CONTROL, _CONTROL, *[_BYTE] * 256, *[_NORMAL] * 27]
    facts: list[tuple[str, int, Any]] = [
        ("general.architecture", _STRING, "llama"),
        ("llama.context_length", _U32, HOLDS),
        ("llama.embedding_length", _U32, _WIDTH),
        ("llama.block_count", _U32, _LAYERS),
        ("llama.feed_forward_length", _U32, _INNER),
        ("llama.attention.head_count", _U32, _HEADS),
        ("llama.attention.layer_norm_rms_epsilon", _F32, 1e-5),
        ("tokenizer.ggml.model", _STRING, "llama"),
        ("tokenizer.ggml.tokens", _ARRAY, (_STRING, tokens)),
        ("tokenizer.ggml.scores", _ARRAY, (_F32, [0.0] * len(tokens))),
        ("tokenizer.ggml.token_type", _ARRAY, (_I32, kinds)),
        ("tokenizer.ggml.bos_token_id", _U32, 1),
        ("tokenizer.ggml.eos_token_id", _U32, 2),
        ("tokenizer.ggml.unknown_token_id", _U32, 0),
    ]
    if template is not None:
        facts.append(("tokenizer.chat_template", _STRING, template))
    path.write_bytes(_file(facts, _weights(len(tokens))))
    return path


def _weights(words: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(5)

    def drawn(*shape: int) -> np.ndarray:
        return random.normal(0.0, 0.4, shape).astype(np.float32)

    said = np.zeros((words, _WIDTH), np.float32)
    said[-27:] = drawn(27, _WIDTH)  # it writes letters and spaces, and never ends by itself
    ones = np.ones(_WIDTH, np.float32)
    found = {"token_embd.weight": drawn(words, _WIDTH), "output_norm.weight": ones, "output.weight": said}
    for layer in range(_LAYERS):
        square = {f"attn_{part}": drawn(_WIDTH, _WIDTH) for part in ("q", "k", "v", "output")}
        inner = {"ffn_gate": drawn(_INNER, _WIDTH), "ffn_up": drawn(_INNER, _WIDTH), "ffn_down": drawn(_WIDTH, _INNER)}
        parts = {**square, **inner, "attn_norm": ones, "ffn_norm": ones}
        found |= {f"blk.{layer}.{name}.weight": values for name, values in parts.items()}
    return found


def _file(facts: list[tuple[str, int, Any]], weights: dict[str, np.ndarray]) -> bytes:
    head = b"GGUF" + struct.pack("<IQQ", 3, len(weights), len(facts))
    head += b"".join(_string(name) + struct.pack("<I", kind) + _value(kind, value) for name, kind, value in facts)
    data = b""
    for name, values in weights.items():
        sizes = values.shape[::-1]  # the fastest first
        head += _string(name) + struct.pack(f"<I{len(sizes)}QIQ", len(sizes), *sizes, 0, len(data))
        data += _padded(values.tobytes())
    return _padded(head) + data


def _value(kind: int, value: Any) -> bytes:
    if kind == _STRING:
        return _string(value)
    if kind == _ARRAY:
        inner, values = value
        return struct.pack("<IQ", inner, len(values)) + b"".join(_value(inner, each) for each in values)
    return struct.pack({_U32: "<I", _I32: "<i", _F32: "<f"}[kind], value)


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % _ALIGNED)
