"""A tiny model with random weights, in transformers' format: it writes, but nothing that means anything."""

from __future__ import annotations

from pathlib import Path

TEMPLATE = (
    "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
HOLDS = 512
"""Tokens of its context; a token is a byte."""


def write_tiny_model(folder: Path, template: str | None = TEMPLATE) -> Path:
    """The folder, with a two-layer Llama and a tokenizer of single bytes in it."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: number for number, letter in enumerate(["<s>", "</s>", *letters])}
    bytes_only = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    bytes_only.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bytes_only.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bytes_only, bos_token="<s>", eos_token="</s>", model_max_length=HOLDS)
    tokenizer.chat_template = template

    torch.manual_seed(5)
    config = LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=HOLDS,
        bos_token_id=0,
        eos_token_id=1,
        initializer_range=0.4,
    )
    model = LlamaForCausalLM(config)
    said = [vocabulary[letter] for letter in "abcdefghijklmnopqrstuvwxyzĠ"]  # Ġ is the space
    others = [number for number in vocabulary.values() if number not in said]
    with torch.no_grad():
        model.lm_head.weight[others] = 0.0  # so that it writes letters and spaces, and never ends by itself
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
