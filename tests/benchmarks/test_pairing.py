"""What a benchmark with an aim says."""

from __future__ import annotations

import json

import pytest

from benchmarks.pairing import Comparison


def test_the_ratio_is_the_median_of_the_runs() -> None:
    """One odd run, on a machine that others use too, does not move the answer."""
    assert Comparison("lone", "", [1.0, 1.1, 9.0, 0.9, 1.2], {}).ratio == 1.1


@pytest.mark.parametrize(
    ("aim", "met"),
    [
        (">= 0.90 of the bare model", True),
        (">= 0.95", True),
        (">= 0.96", False),
        ("<= 0.95", True),
        ("<= 0.9 of its time", False),
        ("as fast as it can", None),
        ("", None),
    ],
)
def test_an_aim_says_by_itself_whether_it_is_met(aim: str, met: bool | None) -> None:  # noqa: FBT001 - expected
    """The bound is read from the aim, so that both cannot differ; without one, it is not judged."""
    assert Comparison("share", aim, [0.95], {}).met is met


def test_it_prints_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    """A caller reads the last line: ratios with three decimals, raw figures, and the machine."""
    Comparison("share", ">= 0.9", [0.91239, 0.8, 0.95], {"clients": 32}).print()
    [line] = capsys.readouterr().out.splitlines()
    said = json.loads(line)
    machine = said.pop("machine")
    assert said == {
        "name": "share",
        "aim": ">= 0.9",
        "ratio": 0.912,
        "met": True,
        "runs": [0.912, 0.8, 0.95],
        "figures": {"clients": 32},
    }
    assert machine["cpu"]
    assert machine["cores"] >= 1
    assert machine["memory_gib"] > 0
