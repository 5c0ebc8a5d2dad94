"""`dam demo`: on the embedded defaults, on real services, on odd files, and until Ctrl-C."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest

from dam.settings import DamSettings
from tests.end_to_end.odd_files import EXPECTED, write_odd_files
from tests.end_to_end.readers import COLUMNS, read_snapshot, read_table
from tests.end_to_end.running import ROOT, run_once, started

if TYPE_CHECKING:
    from pathlib import Path

    from tests.end_to_end.running import Finished
    from tests.services.rabbitmq import RabbitMq
    from tests.services.radosgw import Radosgw

TRUTH = json.loads((ROOT / "samples" / "captions.json").read_text())
COUNT = 24


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the embedded demo of this module keeps its store and queue."""
    return tmp_path_factory.mktemp("demo") / "data"


@pytest.fixture(scope="module")
def first(data: Path) -> Finished:
    """The first demo of a newcomer."""
    return run_once(data, "--count", str(COUNT))


def assert_all_enriched(report: dict[str, object]) -> None:
    counted = {name: report[name] for name in ("uploaded", "enriched", "rows", "vectors", "failed")}
    assert counted == {"uploaded": COUNT, "enriched": COUNT, "rows": COUNT, "vectors": COUNT, "failed": 0}
    assert report["seconds"]
    assert report["images_per_second"]
    assert isinstance(report["caption_exact_match"], float)
    assert report["caption_exact_match"] >= 0.9  # the demo models know the drawn world


def test_a_newcomer_sees_every_picture_captioned(first: Finished) -> None:
    """Everything is enriched; the table shows a caption for each picture; it says what the models know."""
    assert_all_enriched(first.report)
    shown = [name for name in TRUTH if name in first.output]
    assert len(shown) == COUNT
    told = sum(TRUTH[name] in first.output for name in shown)
    assert told >= 0.9 * COUNT
    assert "know only the drawn world" in first.output
    assert "DAM_MODEL_SET=base" in first.output


def test_the_printed_query_works_as_it_stands(first: Finished) -> None:
    """The DuckDB line can be copied into a shell in the project's folder."""
    line = re.search(r"^Query +(.+)$", first.output, re.MULTILINE)
    assert line
    done = subprocess.run(
        shlex.split(line[1]), cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert "drawn-001.png" in done.stdout


def test_analysts_read_the_files(first: Finished, data: Path) -> None:
    """DuckDB, pandas and Polars agree on the snapshot, `deltalake` on the table behind it."""
    assert first.report["rows"] == COUNT
    by_reader = read_snapshot(data / "bucket")
    rows = by_reader["duckdb"]
    assert len(rows) == COUNT
    assert by_reader == dict.fromkeys(by_reader, rows)
    table = read_table(DamSettings(data_dir=data))
    assert [{name: row[name] for name in COLUMNS} for row in sorted(table, key=lambda row: row["id"])] == rows
    assert {len(row["embedding"]) for row in table} == {128}


def test_a_second_demo_keeps_what_was_there_and_serves_until_ctrl_c(first: Finished, data: Path) -> None:
    """Nothing is stored twice; the printed addresses answer; after Ctrl-C no process is left."""
    assert first.report["already_there"] == 0
    with started(data, "--count", str(COUNT)) as demo:
        demo.wait_for("Ctrl-C stops everything")
        below = demo.children()
        output = demo.output()
        addresses = set(re.findall(r"http://127\.0\.0\.1:\d+/docs", output))
        answers = {address: httpx.get(address).status_code for address in addresses}
        status = demo.stop()
    assert f"{COUNT} were there already" in output
    assert set(answers.values()) == {200}
    assert len(answers) == 2
    assert status == 0
    assert len(below) >= 4
    assert psutil.wait_procs(below, timeout=10)[1] == []
    assert {row["revision"] for row in read_table(DamSettings(data_dir=data))} == {1}
    assert len(list((data / "bucket" / "assets").iterdir())) == COUNT


def test_the_same_on_a_real_bucket_and_a_real_broker(
    radosgw: Radosgw, rabbitmq: RabbitMq, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `s3://` and `amqp://` in the environment the same command gives the same figures."""
    environment = {**radosgw.environment(radosgw.create_bucket()), "DAM_QUEUE_URL": rabbitmq.new_vhost()}
    done = run_once(tmp_path / "data", "--count", str(COUNT), environment=environment)
    assert_all_enriched(done.report)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    rows = read_table(DamSettings())
    assert len({row["id"] for row in rows}) == len(rows) == COUNT
    assert environment["DAM_STORE_SECRET_ACCESS_KEY"] not in done.output


def test_every_odd_file_ends_with_its_outcome_and_a_reason(tmp_path: Path) -> None:
    """Whatever lies in a folder is enriched, or refused or failed with a sentence that says why."""
    folder = tmp_path / "odd"
    write_odd_files(folder)
    done = run_once(tmp_path / "data", "--images", str(folder))
    lines = {
        name: line for name in EXPECTED for line in done.output.splitlines() if line.startswith(f"│ {name} ")
    }
    assert set(lines) == set(EXPECTED)
    for name, (outcome, reason) in EXPECTED.items():
        assert outcome in lines[name] or outcome == "enriched", lines[name]
        assert reason in lines[name], lines[name]
    outcomes = [outcome for outcome, _ in EXPECTED.values()]
    counted = {name: done.report[name] for name in ("files", "enriched", "refused", "failed")}
    assert counted == {
        "files": len(EXPECTED),
        "enriched": outcomes.count("enriched"),
        "refused": outcomes.count("refused"),
        "failed": outcomes.count("failed"),
    }
    assert done.report["caption_exact_match"] is None
