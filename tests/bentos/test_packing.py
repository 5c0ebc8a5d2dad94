"""Packed models give the numbers of those they were made from, and no more of them is touched than that."""

from __future__ import annotations

import pytest
import torch
from open_clip.transformer import ResidualAttentionBlock, Transformer
from torch import nn

from bentos.packing import PackedAttention, PackedLinear, pack

WIDTH, LENGTH = 32, 7


@pytest.fixture(autouse=True)
def _same_weights() -> None:
    torch.manual_seed(1)


@pytest.mark.parametrize("rows", [1, 5, 300])
@pytest.mark.parametrize("bias", [True, False])
@torch.inference_mode()
def test_a_packed_layer_multiplies_alike(rows: int, bias: bool) -> None:  # noqa: FBT001 - a parameter
    """For few rows and many."""
    layers = nn.Sequential(nn.Linear(WIDTH, 3 * WIDTH, bias=bias))
    inputs = torch.randn(rows, WIDTH)
    expected = layers(inputs)
    pack(layers)
    assert isinstance(layers[0], PackedLinear)
    torch.testing.assert_close(layers(inputs), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("masked", [True, False])
@torch.inference_mode()
def test_a_packed_transformer_attends_alike(masked: bool) -> None:  # noqa: FBT001 - a parameter
    """Every block of it, with the mask of a text tower and without."""
    model = Transformer(WIDTH, layers=2, heads=4).eval()
    inputs = torch.randn(3, LENGTH, WIDTH)
    mask = torch.full((LENGTH, LENGTH), float("-inf")).triu(1) if masked else None
    expected = model(inputs, attn_mask=mask)
    pack(model)
    assert all(isinstance(block.attn, PackedAttention) for block in model.resblocks)
    assert not any(isinstance(part, nn.Linear) for part in model.modules())
    torch.testing.assert_close(model(inputs, attn_mask=mask), expected, rtol=1e-4, atol=1e-5)


def test_attention_between_two_stays_as_it_is() -> None:
    """A block that looks at another sequence multiplies three different inputs."""
    block = ResidualAttentionBlock(WIDTH, 4, is_cross_attention=True)
    pack(block)
    assert isinstance(block.attn, nn.MultiheadAttention)
    assert isinstance(block.mlp.c_fc, PackedLinear)


def test_other_precisions_stay_as_they_are() -> None:
    """What is packed is float32."""
    layers = nn.Sequential(nn.Linear(WIDTH, WIDTH, dtype=torch.bfloat16))
    pack(layers)
    assert type(layers[0]) is nn.Linear


def test_where_torch_has_no_onednn_the_model_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """On other processors than those it is built for."""
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    layers = nn.Sequential(nn.Linear(WIDTH, WIDTH))
    pack(layers)
    assert type(layers[0]) is nn.Linear


@torch.inference_mode()
def test_a_weight_that_two_layers_share_stays_with_the_other() -> None:
    """As BLIP's vocabulary, which is looked up and multiplied with."""
    model = nn.ModuleDict({"words": nn.Embedding(5, WIDTH), "scores": nn.Linear(WIDTH, 5, bias=False)})
    words, scores = model["words"], model["scores"]
    scores.weight = words.weight
    looked_up = words(torch.arange(5))
    expected = scores(looked_up)
    pack(model)
    assert torch.equal(words(torch.arange(5)), looked_up)
    torch.testing.assert_close(model["scores"](looked_up), expected, rtol=1e-5, atol=1e-6)
