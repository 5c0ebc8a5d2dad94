"""Models made faster on a processor: matrices are laid out once in the order that oneDNN multiplies in.

torch hands each product to a library that orders the matrix anew each time, which for few rows costs as much
as the product. `captioner` and `embedder` call `pack` once they have loaded; the numbers stay the same but
for rounding. The two operators are what torch's own compiler uses for this. Where torch lacks them, or
oneDNN, a model is left as it is.
"""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import nn

_reorder: Final[Any] = getattr(torch.ops.mkldnn, "_reorder_linear_weight", None)
_multiply: Final[Any] = getattr(torch.ops.mkldnn, "_linear_pointwise", None)


class PackedLinear(nn.Module):
    """A linear layer whose weight is packed: float32, rows x inputs to rows x outputs."""

    weight: torch.Tensor
    bias: torch.Tensor | None

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None) -> None:
        super().__init__()
        self.register_buffer("weight", _reorder(weight.detach()))
        self.register_buffer("bias", None if bias is None else bias.detach())

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """The products."""
        products: torch.Tensor = _multiply(inputs, self.weight, self.bias, "none", [], "")
        return products


class PackedAttention(nn.Module):
    """`MultiheadAttention` of one sequence with itself: batch x length x width, weights not told."""

    def __init__(self, attention: nn.MultiheadAttention) -> None:
        super().__init__()
        self._heads = attention.num_heads
        assert attention.in_proj_weight is not None  # noqa: S101 - `_is_of_itself` has looked
        self.in_proj = PackedLinear(attention.in_proj_weight, attention.in_proj_bias)
        self.out_proj = PackedLinear(attention.out_proj.weight, attention.out_proj.bias)

    def forward(
        self,
        query: torch.Tensor,
        _key: torch.Tensor,
        _value: torch.Tensor,
        *,
        need_weights: bool,  # noqa: ARG002 - open_clip's blocks say that they need none
        attn_mask: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, None]:
        """What `MultiheadAttention` gives where query, key and value are the same."""
        batch, length, width = query.shape
        parts = self.in_proj(query).view(batch, length, 3, self._heads, width // self._heads)
        queries, keys, values = parts.permute(2, 0, 3, 1, 4)
        mixed = nn.functional.scaled_dot_product_attention(queries, keys, values, attn_mask)
        return self.out_proj(mixed.transpose(1, 2).reshape(batch, length, width)), None


def pack(module: nn.Module) -> None:
    """Pack every linear layer and every attention of open_clip's blocks below `module`, in place."""
    if not _is_possible():
        return
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is nn.Linear and _is_plain(child.weight):
                setattr(parent, name, PackedLinear(child.weight, child.bias))
            elif name == "attn" and isinstance(child, nn.MultiheadAttention) and _is_of_itself(parent, child):
                setattr(parent, name, PackedAttention(child))
    for rest in (*module.parameters(), *module.buffers()):
        if not rest.is_mkldnn:  # or the whole file that it was read from would stay in memory for it
            rest.data = rest.data.clone()


def _is_possible() -> bool:
    has_one_dnn: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return has_one_dnn and _reorder is not None and _multiply is not None


def _is_plain(weight: torch.Tensor) -> bool:
    return weight.dtype == torch.float32 and weight.device.type == "cpu"


def _is_of_itself(block: nn.Module, attention: nn.MultiheadAttention) -> bool:
    """Whether query, key and value are one, and nothing is added to them."""
    return (
        not hasattr(block, "ln_1_kv")
        and attention.batch_first
        and attention.in_proj_weight is not None
        and attention.bias_k is None
        and not attention.add_zero_attn
        and _is_plain(attention.in_proj_weight)
    )
