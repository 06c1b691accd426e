"""A BERT encoder as an ONNX graph, written out byte by byte.

Goes in: the number of layers and their widths. Comes out: a model that ONNX Runtime runs, without its
weights, which are handed over beside it, so that two models can share them and none is copied. Only what
this one graph needs of the format is here (onnx.proto3 of the ONNX project); the package `onnx`, which
would write any graph, is larger than this program. Knows no file, no text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

FLOAT, INT32 = 1, 6
"""Kinds of numbers, as ONNX counts them."""
_VARINT, _BYTES, _FLOAT32 = 0, 2, 5
_FUSED = "com.microsoft"
"""The operators of ONNX Runtime's own that do a layer in few steps."""
_OPSETS = (("", 17), (_FUSED, 1))
_IR_VERSION = 8


@dataclass(frozen=True)
class Shape:
    """What tells one BERT from another."""

    layers: int
    heads: int
    width: int
    inner: int
    """Of the feed-forward part."""
    epsilon: float
    """Of the layer norms."""


def initializers(shape: Shape) -> dict[str, tuple[int, ...]]:
    """The weights that the graph is to be given, by name, with their shapes."""
    width, inner = shape.width, shape.inner
    found: dict[str, tuple[int, ...]] = {"norm.weight": (width,), "norm.bias": (width,)}
    for number in range(shape.layers):
        found |= {
            f"{number}.{name}": size
            for name, size in {
                "attention.weight": (width, 3 * width),
                "attention.bias": (3 * width,),
                "mixed.weight": (width, width),
                "mixed.bias": (width,),
                "mixed.norm.weight": (width,),
                "mixed.norm.bias": (width,),
                "inner.weight": (width, inner),
                "inner.bias": (inner,),
                "outer.weight": (inner, width),
                "outer.bias": (width,),
                "outer.norm.weight": (width,),
                "outer.norm.bias": (width,),
            }.items()
        }
    return found


def encoder(shape: Shape) -> bytes:
    """The model: from `embedded` (texts, tokens, width) and `mask` (texts, tokens) to `states` (texts, tokens, width)."""
    norm = _number("epsilon", shape.epsilon)
    nodes = [_node("LayerNormalization", ["embedded", "norm.weight", "norm.bias"], "states0", norm, _integer("axis", -1))]
    for number in range(shape.layers):
        nodes += _layer(number, shape.heads, norm, "states" if number == shape.layers - 1 else f"states{number + 1}")
    graph = b"".join(
        [
            *(_bytes(1, node) for node in nodes),
            _text(2, "encoder"),
            *(_bytes(5, _initializer(name, size)) for name, size in initializers(shape).items()),
            _bytes(11, _value("embedded", FLOAT, ("texts", "tokens", shape.width))),
            _bytes(11, _value("mask", INT32, ("texts", "tokens"))),
            _bytes(12, _value("states", FLOAT, ("texts", "tokens", shape.width))),
        ]
    )
    opsets = (_bytes(8, _text(1, domain) + _whole(2, version)) for domain, version in _OPSETS)
    return _whole(1, _IR_VERSION) + _bytes(7, graph) + b"".join(opsets)


def _layer(number: int, heads: int, norm: bytes, out: str) -> list[bytes]:
    def named(*names: str) -> list[str]:
        return [f"{number}.{name}" for name in names]

    weights = ("norm.weight", "norm.bias", "bias")
    states = f"states{number}"
    return [
        _node("Attention", [states, *named("attention.weight", "attention.bias"), "mask"], f"{number}.a", _integer("num_heads", heads)),
        _node("MatMul", named("a", "mixed.weight"), f"{number}.b"),
        _node("SkipLayerNormalization", [f"{number}.b", states, *named(*(f"mixed.{name}" for name in weights))], f"{number}.c", norm),
        _node("MatMul", named("c", "inner.weight"), f"{number}.d"),
        _node("BiasGelu", named("d", "inner.bias"), f"{number}.e"),
        _node("MatMul", named("e", "outer.weight"), f"{number}.f"),
        _node("SkipLayerNormalization", [*named("f", "c"), *named(*(f"outer.{name}" for name in weights))], out, norm),
    ]


_STANDARD = {"MatMul", "LayerNormalization"}


def _node(kind: str, inputs: Sequence[str], output: str, *attributes: bytes) -> bytes:
    names = b"".join(_text(1, name) for name in inputs) + _text(2, output) + _text(4, kind)
    domain = b"" if kind in _STANDARD else _text(7, _FUSED)
    return names + b"".join(_bytes(5, attribute) for attribute in attributes) + domain


def _integer(name: str, value: int) -> bytes:
    return _text(1, name) + _whole(3, value) + _whole(20, 2)


def _number(name: str, value: float) -> bytes:
    import struct

    return _text(1, name) + _key(2, _FLOAT32) + struct.pack("<f", value) + _whole(20, 1)


def _value(name: str, kind: int, sizes: Iterable[int | str]) -> bytes:
    dimensions = (_text(2, size) if isinstance(size, str) else _whole(1, size) for size in sizes)
    tensor = _whole(1, kind) + _bytes(2, b"".join(_bytes(1, dimension) for dimension in dimensions))
    return _text(1, name) + _bytes(2, _bytes(1, tensor))


def _initializer(name: str, sizes: Sequence[int]) -> bytes:
    """A weight whose numbers are said to lie elsewhere: they are handed over before the graph is loaded."""
    where = _text(1, "location") + _text(2, "handed over")
    return b"".join(_whole(1, size) for size in sizes) + _whole(2, FLOAT) + _text(8, name) + _bytes(13, where) + _whole(14, 1)


# Protocol Buffers' wire format: a key (field and kind), then the value


def _key(field: int, kind: int) -> bytes:
    return _varint(field << 3 | kind)


def _whole(field: int, value: int) -> bytes:
    return _key(field, _VARINT) + _varint(value % (1 << 64))


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())


def _bytes(field: int, value: bytes) -> bytes:
    return _key(field, _BYTES) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
