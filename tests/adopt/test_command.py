"""`dam adopt`, as a person calls it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from dam import keys
from tests.adopt.original import draw
from tests.maintenance.processes import run_dam

if TYPE_CHECKING:
    from tests.adopt.bucket import Former


async def test_it_shows_then_does_then_has_nothing_to_do(either_former: Former) -> None:
    """Status 0 each time; only `--yes` changes anything, and only once."""
    await either_former.worker.process_all(2)
    call = ("adopt", "--dim", "8", "--vectors-by", "clip@1")
    before = await either_former.describe()
    shown = run_dam(either_former.settings, *call)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "2 assets would be taken over: 2 with their caption, 2 with their vector" in shown.stdout
    assert "Nothing was changed. Say --yes" in shown.stdout
    assert await either_former.describe() == before
    done = run_dam(either_former.settings, *call, "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 assets taken over" in done.stdout
    assert keys.ADOPTED_TABLES in done.stdout
    after = await either_former.describe()
    again = run_dam(either_former.settings, *call, "--yes")
    assert (again.returncode, again.stderr) == (0, "")
    assert "Nothing to do." in again.stdout
    assert await either_former.describe() == after


async def test_what_cannot_be_taken_is_named(former: Former) -> None:
    """Status 1, with the key and the reason; as JSON for programs too."""
    former.worker.prefix = "images/"
    lost = await former.worker.process(draw(0), "a boat")
    await former.worker.process(draw(1), "a house")
    await former.store.delete(f"images/{lost}.jpg")
    shown = run_dam(former.settings, "adopt", "--prefix", "images", "--yes", "--dim", "8")
    assert shown.returncode == 1
    assert "row_without_original" in shown.stdout
    assert "1 asset taken over: 1 with their caption" in shown.stdout
    told = run_dam(former.settings, "adopt", "--prefix", "images/", "--json", "--dim", "8")
    assert told.returncode == 1
    report = json.loads(told.stdout)
    assert (report["done"], report["whole"], report["known"]) == (False, False, 1)
    [oddity] = report["oddities"]
    assert (oddity["kind"], oddity["key"]) == ("row_without_original", f"images/{lost}.jpg")


async def test_a_prefix_without_originals(former: Former) -> None:
    """It is asked whether that is meant, status 1; the table is not done with; the right one takes all."""
    former.worker.prefix = "images/"
    await former.worker.process_all(2)
    before = await former.store.get(keys.SNAPSHOT)
    done = run_dam(former.settings, "adopt", "--yes", "--dim", "8")
    assert done.returncode == 1
    assert "is it the right --prefix?" in done.stdout
    assert "--prefix images/" in done.stdout
    assert [found.key async for found in former.store.list(keys.ADOPTED_TABLES)] == []
    assert (await former.store.get(keys.SNAPSHOT)).data == before.data
    done = run_dam(former.settings, "adopt", "--yes", "--dim", "8", "--prefix", "images/")
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 assets taken over" in done.stdout


@pytest.mark.parametrize("prefix", ["vectors/", "metadata/images", "../x", "", "thumbs"])
async def test_a_wrong_prefix(former: Former, prefix: str) -> None:
    """Status 2."""
    done = run_dam(former.settings, "adopt", "--prefix", prefix)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--prefix" in done.stderr


@pytest.mark.parametrize(
    "changed",
    [("--vectors-by", "clip"), ("--vectors-by", "@1"), ("--dim", "0")],
)
async def test_a_wrong_option(former: Former, changed: tuple[str, str]) -> None:
    """Status 2."""
    done = run_dam(former.settings, "adopt", *changed)
    assert (done.returncode, done.stdout) == (2, "")
    assert changed[0] in done.stderr


async def test_a_wrong_store(former: Former) -> None:
    """Status 2 for a setting."""
    done = run_dam(former.settings, "adopt", DAM_STORE_URL="ftp://nowhere")
    assert (done.returncode, done.stdout) == (2, "")
