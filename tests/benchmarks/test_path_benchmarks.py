"""The path's benchmarks in their quick form: they run, and say what `make bench` makes its table of.

What they measure on a machine that runs tests beside them means nothing, and is not looked at.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks import all as every
from benchmarks import pipeline, pipeline_peer, results, start, upload
from benchmarks.brokers import Brokers
from benchmarks.pairing import Comparison

if TYPE_CHECKING:
    from pathlib import Path

    from tests.services.rabbitmq import RabbitMq
    from tests.services.radosgw import Radosgw


@pytest.fixture
def brokers(radosgw: Radosgw, rabbitmq: RabbitMq, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Brokers:
    """The session's servers; what a benchmark writes into the environment is taken back after the test."""
    for name in (
        *radosgw.environment("any"),
        "DAM_QUEUE_URL",
        "DAM_DATA_DIR",
        "DAM_MODEL_SET",
        "DAM_MODELS_DIR",
    ):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return Brokers(radosgw, rabbitmq, tmp_path)


def said(comparison: Comparison, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The last line that it prints, whose fields every benchmark with an aim has."""
    capsys.readouterr()
    comparison.print()
    line = dict(json.loads(capsys.readouterr().out.splitlines()[-1]))
    check(line)
    return line


def check(line: dict[str, Any]) -> None:
    """The fields of every comparison."""
    assert line["name"] in every.COMPARED
    assert len(line["runs"]) >= 5
    assert min(line["runs"]) <= line["ratio"] <= max(line["runs"])
    assert min(line["runs"]) > 0
    assert line["met"] in {True, False}
    assert line["machine"]["cores"] > 0
    assert line["figures"]


def test_uploads_are_compared_at_each_size(brokers: Brokers, capsys: pytest.CaptureFixture[str]) -> None:
    """The ratio is that of the slowest size, and the service's memory is told for each."""
    line = said(upload.measure_quickly(brokers), capsys)
    by_size = line["figures"]["ratio_by_size"]
    assert line["ratio"] == min(by_size.values()) == by_size[line["figures"]["ratio_of"]]
    assert len(by_size) == len(line["figures"]["service"]) == len(upload.QUICK)
    assert all(size["peak_mb"] > 0 for size in line["figures"]["service"].values())


def test_the_whole_path_is_compared_with_its_models(
    brokers: Brokers, capsys: pytest.CaptureFixture[str]
) -> None:
    """Pictures that are uploaded get their rows, and so many a second are told beside the models' own."""
    line = said(pipeline.measure(brokers, ["demo"], quick=True), capsys)
    [rates] = line["figures"]["by_models"].values()
    assert rates["ratio"] == line["ratio"]
    assert rates["path_per_s"] > 0
    assert rates["bare_per_s"] > 0
    assert rates["bare_batch"] in pipeline.BATCHES


def test_the_pipeline_is_compared_with_the_plain_design(
    brokers: Brokers, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both work off the same pictures beside as many rows, on the same servers."""
    line = said(pipeline_peer.measure(brokers, pipeline_peer.QUICK_ROWS, ["demo"], quick=True), capsys)
    [(rows, rates)] = line["figures"]["by_models"]["demo"].items()
    assert int(rows) == pipeline_peer.QUICK_ROWS[0]
    assert rates["plain_per_s"] > 0
    assert rates["pipeline_per_s"] > 0


def test_starts_are_timed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Every service becomes ready, and the ratio is the worse of the two that have an aim."""
    for name in ("DAM_STORE_URL", "DAM_QUEUE_URL", "DAM_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    line = said(start.measure(quick=True), capsys)
    assert line["figures"]["services"].keys() == start.MODULES.keys()


def test_results_become_a_table_and_a_plot(tmp_path: Path) -> None:
    """`python -m benchmarks.all` runs what it is told, and writes a row with its aim and its machine."""
    command = [sys.executable, "-m", "benchmarks.all", "--quick", "--into", str(tmp_path), "catalogue"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "catalogue" in done.stdout
    stored = results.read(tmp_path)["catalogue"]
    check(stored)
    assert stored["figures"]["ratio_by_measure"].keys() == {"seconds", "bytes_written", "requests"}
    row = (tmp_path / results.TABLE).read_text().splitlines()[-1]
    for part in (
        "catalogue (quick)",
        "<= 1.3",
        f"{stored['ratio']:g}",
        stored["date"],
        stored["machine"]["cpu"],
    ):
        assert part in row
    assert "catalogue" in (tmp_path / results.PLOT).read_text()


def test_results_of_before_stay(tmp_path: Path) -> None:
    """A benchmark that runs again replaces its own row alone."""

    def result(name: str, ratio: float) -> dict[str, Any]:
        machine = {"cpu": "a cpu", "cores": 2, "load_1min": 0.5}
        return {
            **Comparison(name, ">= 0.7 of it", [ratio] * 5, {}).as_dict(),
            "compared": "one | other",
            "machine": machine,
            "quick": False,
            "date": "2026-01-01",
        }

    results.write(
        tmp_path, {"start": result("start", 0.9), "upload": result("upload", 0.8)}, list(every.COMPARED)
    )
    results.write(tmp_path, {**results.read(tmp_path), "upload": result("upload", 0.6)}, list(every.COMPARED))
    rows = (tmp_path / results.TABLE).read_text().splitlines()[-2:]
    assert [row.split("|")[1].strip() for row in rows] == ["upload", "start"]
    assert "**no**" in rows[0]
    assert "yes" in rows[1]


def test_a_benchmark_that_fails_does_not_stop_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What went wrong is told, and no row is made of it."""
    failures = every.run_all(["no_such_benchmark", "also_none"], tmp_path, quick=True)
    assert len(failures) == 2
    assert "no_such_benchmark" in failures[0]
    assert results.read(tmp_path) == {}
    assert "== also_none" in capsys.readouterr().out
