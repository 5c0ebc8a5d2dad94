"""The real process on the embedded defaults: what it loads, and that its memory does not grow with files."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx

from tests.ingest.pictures import picture
from tests.ingest.serving import ROOT, process

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import psutil

MB = 1_000_000
HEAVY = {"torch", "numpy", "pyarrow", "deltalake", "PIL", "bentoml", "lancedb", "pandas", "transformers"}


def test_nothing_heavy_is_loaded() -> None:
    """With every adapter loaded, the service has none of the libraries that belong to other services."""
    code = (
        "import sys, ingest_api.__main__, dam.store.s3, dam.store.folder, dam.queue.amqp, dam.queue.sqlite;"
        f"print(sorted({HEAVY!r} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert result.stdout.strip() == "[]"


async def big_form(size: int) -> AsyncIterator[bytes]:
    """A form with one bitmap of about `size` bytes, each with another content."""
    yield b'--b\r\ncontent-disposition: form-data; name="files"; filename="big.bmp"\r\n\r\n'
    yield picture(size // MB, "BMP")
    block = bytes(range(256)) * 256
    for _ in range(size // len(block)):
        yield block
    yield b"\r\n--b--\r\n"


async def peak_while_uploading(url: str, service: psutil.Process, *sizes: int) -> int:
    """Upload bitmaps of these sizes at once; the service's highest resident memory meanwhile, in bytes."""
    headers = {"content-type": "multipart/form-data; boundary=b"}
    async with httpx.AsyncClient(base_url=url, timeout=120) as client:
        uploads = [
            asyncio.create_task(client.post("/upload", content=big_form(size), headers=headers))
            for size in sizes
        ]
        peak = 0
        while not all(upload.done() for upload in uploads):
            peak = max(peak, service.memory_info().rss)
            await asyncio.sleep(0.01)
        for upload in uploads:
            assert upload.result().status_code == 202, upload.result().text
    return peak


async def test_memory_does_not_grow_with_file_size(tmp_path: Path) -> None:
    """A 200 MB file costs no more memory than one of 20 MB, and several at once stay under 120 MB."""
    with process({"DAM_DATA_DIR": str(tmp_path / "data")}, tmp_path / "log") as (url, service):
        small = await peak_while_uploading(url, service, 20 * MB)
        large = await peak_while_uploading(url, service, 200 * MB)
        several = await peak_while_uploading(url, service, *(n * MB for n in range(30, 36)))
        assert large - small < 8 * MB
        assert max(large, several) < 120 * MB
    assert sum(file.stat().st_size for file in (tmp_path / "data").rglob("*.bmp")) > 400 * MB
