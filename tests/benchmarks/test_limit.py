"""How near to the limit the models are rests on what is counted as their work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from benchmarks import limit

if TYPE_CHECKING:
    from pathlib import Path


def test_packed_models_are_counted_as_the_work_that_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many operations a picture as the same models need unpacked."""
    packed = limit.measure(tmp_path / "packed", quick=True)["models"]
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    plain = limit.measure(tmp_path / "plain", quick=True)["models"]
    for name, figures in packed.items():
        assert figures["gflop_per_picture"] == pytest.approx(plain[name]["gflop_per_picture"], rel=0.02)
        assert figures["s_per_picture"] > 0
        assert figures["share_of_limit"] > 0
