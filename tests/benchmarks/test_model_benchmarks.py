"""The benchmarks of the Bento's models run from end to end; with tiny models their ratios mean nothing."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import torch

from benchmarks import caption_model, caption_service, embed_peer, embed_service, latency

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.pairing import Comparison

FIELDS: Final = {"name", "aim", "ratio", "met", "runs", "figures", "machine"}


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Threads that spin take minutes on a busy machine, and OpenMP is loaded: it would not read the policy.

    Without the variable a benchmark would start this very program anew.
    """
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def peer_env(tmp_path: Path) -> Path:
    programs = tmp_path / "peer" / "bin"
    programs.mkdir(parents=True)
    stand_in = Path(__file__).with_name("infinity.py")
    for name, command in {"python": [], "infinity_emb": [str(stand_in)]}.items():
        words = " ".join(f"'{word}'" for word in [sys.executable, *command])
        (programs / name).write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        (programs / name).chmod(0o755)
    return programs.parent


def check(said: dict[str, Any]) -> None:
    """Every comparison: five pairs, and a ratio from them."""
    assert len(said["runs"]) >= 5
    assert min(said["runs"]) > 0
    assert said["ratio"] == pytest.approx(sorted(said["runs"])[len(said["runs"]) // 2], abs=0.001)
    assert said["met"] in {True, False}


@pytest.mark.parametrize(
    ("name", "main"),
    [(module.NAME, module.main) for module in (embed_service, caption_service, caption_model)],
)
def test_one_ratio(
    name: str, main: Callable[[list[str]], Comparison], capsys: pytest.CaptureFixture[str]
) -> None:
    """`--quick` ends with one line of JSON: a ratio from five pairs, the raw figures and the machine."""
    main(["--quick"])
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert said.keys() == FIELDS
    assert said["name"] == name
    assert said["machine"]["torch_threads"] == 1
    check(said)


def test_latency_compares_both_routes_twice(capsys: pytest.CaptureFixture[str]) -> None:
    """p50 and p95 of `/embed` and `/caption`; the ratio is that of the worst."""
    latency.main(["--quick"])
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    parts = [said["figures"][name] for name in ("/embed p50", "/embed p95", "/caption p50", "/caption p95")]
    for part in parts:
        check(part)
    assert said["ratio"] == max(part["ratio"] for part in parts)


def test_the_peer_is_compared_by_clients(peer_env: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """At 1, 8 and 32 clients; the ratio is that which falls shortest of its aim."""
    embed_peer.main(["--quick", "--peer-env", str(peer_env)])
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    by_clients = said["figures"]["by_clients"]
    assert by_clients.keys() == {"1", "8", "32"}
    for one in by_clients.values():
        check(one)
    shares = {clients: by_clients[str(clients)]["ratio"] / aim for clients, aim in embed_peer.AIMS.items()}
    assert said["figures"]["worst_at_clients"] == min(shares, key=lambda clients: shares[clients])
