"""`dam import` and the client under it, against the upload API over HTTP."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest
import typer
from typer.testing import CliRunner

from dam.cli.importing import find_files, import_folder
from dam.uploads import UploadResult, upload_files
from tests.ingest.pictures import picture
from tests.ingest.serving import Service, running

if TYPE_CHECKING:
    from pathlib import Path

app = typer.Typer()
app.command()(import_folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures in folders, with a bad file and things to leave out."""
    root = tmp_path / "photos"
    (root / "sub" / "deeper").mkdir(parents=True)
    (root / ".hidden").mkdir()
    for number, place in enumerate(["a.png", "sub/b.png", "sub/deeper/ü 日.png"]):
        (root / place).write_bytes(picture(number))
    (root / "copy.png").write_bytes(picture(0))
    (root / "notes.txt").write_text("Only words.")
    (root / ".DS_Store").write_text("x")
    (root / ".hidden" / "c.png").write_bytes(picture(9))
    os.mkfifo(root / "pipe.png")
    return root


def urls(service: Service) -> str:
    return f"http://127.0.0.1:{service.port}"


def outcomes(results: list[UploadResult]) -> dict[str, str]:
    return {result.path.name: result.outcome for result in results}


async def test_folder_is_uploaded_and_repeating_adds_nothing(service: Service, folder: Path) -> None:
    """Every picture is uploaded once; a second run finds all of them there; what is refused says why."""
    paths, unreadable = find_files(folder)
    assert unreadable == []
    first = await upload_files(urls(service), paths, 1)
    assert [result.path for result in first] == paths
    assert outcomes(first) == {
        "a.png": "uploaded",
        "copy.png": "duplicate",
        "notes.txt": "refused",
        "b.png": "uploaded",
        "ü 日.png": "uploaded",
    }
    assert "not a picture" in first[2].reason
    second = await upload_files(urls(service), paths, 3)
    assert set(outcomes(second).values()) == {"duplicate", "refused"}
    assert len(service.keys("assets/")) == 3
    assert {job.filename for job in service.jobs()} == {"a.png", "b.png", "ü 日.png"}


async def test_each_file_is_reported_as_it_ends(service: Service, folder: Path) -> None:
    """`on_done` is called once for each file, with the result that is returned."""
    paths, _ = find_files(folder)
    seen: list[UploadResult] = []
    results = await upload_files(urls(service), paths, 3, seen.append)
    assert sorted(seen, key=lambda result: result.path) == sorted(results, key=lambda result: result.path)


async def test_outage_is_waited_out(folder: Path) -> None:
    """While the queue is down files are tried again after `Retry-After`, and end up uploaded once."""
    async with running(retry_after_s=1) as service:
        service.queue.down = "The broker restarts."
        upload = asyncio.create_task(upload_files(urls(service), [folder / "a.png"], 1))
        await asyncio.sleep(0.3)
        assert not upload.done()
        service.queue.down = None
        [result] = await upload
        assert result.is_there
        assert len(service.keys("assets/")) == len(service.jobs()) == 1


async def test_service_that_is_not_there(folder: Path) -> None:
    """A file that cannot be sent is `failed` with the address, after the tries it was given."""
    [result] = await upload_files("http://127.0.0.1:9", [folder / "a.png"], 1, tries=2)
    assert result.outcome == "failed"
    assert "http://127.0.0.1:9" in result.reason
    assert "2 tries" in result.reason


async def test_file_that_is_gone(service: Service, folder: Path) -> None:
    """A file that cannot be read does not stop the others."""
    results = await upload_files(urls(service), [folder / "gone.png", folder / "a.png"], 2)
    assert [result.outcome for result in results] == ["failed", "uploaded"]
    assert "cannot be read" in results[0].reason


async def test_command_tells_what_happened(service: Service, folder: Path) -> None:
    """The command prints counts and reasons; its status is 1 while any file is not there, and 0 after."""
    run = CliRunner()
    line = [str(folder), "--url", urls(service), "--parallel", "2"]
    mixed = await asyncio.to_thread(run.invoke, app, line)
    assert mixed.exit_code == 1
    assert "notes.txt" in mixed.output
    assert "not a picture" in " ".join(mixed.output.split())
    (folder / "notes.txt").unlink()
    clean = await asyncio.to_thread(run.invoke, app, line)
    assert clean.exit_code == 0, clean.output
    assert [word for word in clean.output.split() if word.isdecimal()][-4:] == ["0", "4", "0", "0"]


async def test_empty_folder_is_fine(service: Service, tmp_path: Path) -> None:
    """Nothing to upload is no failure."""
    result = await asyncio.to_thread(CliRunner().invoke, app, [str(tmp_path), "--url", urls(service)])
    assert result.exit_code == 0
