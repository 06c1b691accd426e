"""Adapters: what folding them in gives is what they gave, and nothing else is trained."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from index.embedding.lora import ADAPTED, Adapted, adapt, adapters, merge

TOKENS = torch.tensor([[101, 5, 6, 7, 102], [101, 9, 9, 102, 0]])


def network() -> BertModel:
    torch.manual_seed(0)
    config = BertConfig(vocab_size=200, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48)
    model = BertModel(config, add_pooling_layer=False)
    return model.eval()


def adapted() -> BertModel:
    """With adapters that say something, as after training."""
    model = network()
    adapt(model, ADAPTED, rank=4, alpha=8.0)
    for module in model.modules():
        if isinstance(module, Adapted):
            nn.init.normal_(module.up, std=0.3)
    return model.eval()


def states(model: nn.Module) -> Tensor:
    with torch.inference_mode():
        out: Tensor = model(input_ids=TOKENS).last_hidden_state
    return out


def test_an_untrained_adapter_changes_nothing() -> None:
    model = network()
    before = states(model)
    adapt(model, ADAPTED, rank=4, alpha=8.0)
    assert torch.equal(states(model.eval()), before)


def test_folded_in_they_give_what_they_gave() -> None:
    trained, plain = adapted(), network()
    untuned = states(plain)
    merge(plain, adapters(trained))
    assert (states(plain) - states(trained)).abs().max() < 1e-5
    assert (states(plain) - untuned).abs().max() > 0.05


def test_folded_in_from_half_precision_they_give_nearly_what_they_gave() -> None:
    trained, plain = adapted(), network()
    merge(plain, {name: matrix.half() for name, matrix in adapters(trained).items()})
    assert 0 < (states(plain) - states(trained)).abs().max() < 0.02


def test_every_block_has_six_of_them_under_their_layers_paths() -> None:
    found = adapters(adapted())
    layers = {name.rpartition(".")[0] for name in found}
    assert len(found) == 2 * len(layers) == 2 * 2 * len(ADAPTED)
    assert layers <= {name for name, _ in network().named_modules()}
    assert found["encoder.layer.1.intermediate.dense.down"].shape == (4, 32)
    assert found["encoder.layer.1.intermediate.dense.up"].shape == (48, 4)


def test_only_adapters_are_trained() -> None:
    model = adapted()
    before = {name: value.clone() for name, value in model.named_parameters()}
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    assert sum(map(torch.numel, trained)) == sum(map(torch.numel, adapters(model).values()))
    out = model(input_ids=TOKENS).last_hidden_state
    loss = (out * torch.randn(out.shape, generator=torch.Generator().manual_seed(1))).sum()
    loss.backward()
    torch.optim.SGD(trained, lr=1.0).step()
    moved = {name for name, value in model.named_parameters() if not torch.equal(value, before[name])}
    assert moved and all(name.endswith((".down", ".up")) for name in moved)
    assert len(moved) == len(trained)


def test_a_layer_that_the_network_lacks_is_an_error() -> None:
    with pytest.raises(KeyError):
        merge(network(), {"encoder.layer.7.output.dense.down": torch.zeros(4, 48), "encoder.layer.7.output.dense.up": torch.zeros(32, 4)})
