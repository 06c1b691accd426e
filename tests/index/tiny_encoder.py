"""A tiny sentence-transformers model with random weights, in a folder: it embeds, but nothing that means anything."""

from __future__ import annotations

from pathlib import Path

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
WIDTH = 32


def write_tiny_encoder(folder: Path, pooling: str = "mean", prompts: dict[str, str] | None = None, seed: int = 7) -> Path:
    """The folder, with a one-layer BERT over single letters in it, and what its configuration puts before texts."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    pieces = Tokenizer(models.WordPiece({word: number for number, word in enumerate(words)}, unk_token="[UNK]"))
    pieces.normalizer = normalizers.BertNormalizer(lowercase=True)
    pieces.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    pieces.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=pieces, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", model_max_length=256
    )
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=WIDTH,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=256,
        initializer_range=0.5,
    )
    inner = folder.with_name(f"{folder.name}-transformer")
    BertModel(config).save_pretrained(inner)
    tokenizer.save_pretrained(inner)
    model = SentenceTransformer(modules=[Transformer(str(inner)), Pooling(WIDTH, pooling)], prompts=prompts, device="cpu")
    model.save(str(folder))
    return folder
