"""Sends one file to everything that takes files, and tells how it ended."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx

from tests.bad_input.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bad_input.running import Stack

_AT_ONCE: Final = 6
_BOUNDARY: Final = b"a-boundary-that-no-file-holds"
_ASSETS_S: Final = 240.0


@dataclass(frozen=True, slots=True)
class Told:
    """How one file ended, and the asset as the gallery shows it, where there is one."""

    outcome: Outcome
    asset: dict[str, Any] | None


def form(field: str, name: bytes, data: bytes) -> bytes:
    """A form with one file, its name as it is."""
    head = b'Content-Disposition: form-data; name="%b"; filename="%b"\r\n' % (field.encode(), name)
    return b"--%b\r\n%b\r\n%b\r\n--%b--\r\n" % (_BOUNDARY, head, data, _BOUNDARY)


FORM_HEADERS: Final = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY.decode()}"}


class Sender:
    """Keeps to so many requests at once."""

    def __init__(self, stack: Stack, client: httpx.AsyncClient) -> None:
        self._to = stack.addresses
        self._client = client
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def send(self, files: Sequence[tuple[bytes, bytes]]) -> list[Told]:
        """Every (name, content), everywhere; returns once each asset is ready or failed."""
        uploads = await asyncio.gather(*(self._upload(*file) for file in files))
        models = await asyncio.gather(*(self._ask_models(data) for _, data in files))
        searches = await asyncio.gather(*(self._search(data) for _, data in files))
        ids = {self._id_of(answer) for answer in uploads} - {None}
        assets = await self._settled(len(ids))
        told = []
        for upload, model, search in zip(uploads, models, searches, strict=True):
            asset = assets.get(self._id_of(upload) or "")
            told.append(Told(Outcome(_said(upload), _end_of(asset), model, _said(search)), asset))
        return told

    async def post(self, url: str, field: str, data: bytes, name: bytes = b"file.jpg") -> httpx.Response:
        """One file to one address."""
        async with self._room:
            return await self._client.post(url, content=form(field, name, data), headers=FORM_HEADERS)

    async def _upload(self, name: bytes, data: bytes) -> httpx.Response:
        return await self.post(f"{self._to.ingest}/upload", "files", data, name)

    async def _ask_models(self, data: bytes) -> str:
        """Caption and embedding must say the same."""
        routes = ("caption", "embed")
        answers = [await self.post(f"{self._to.bento}/{route}", "image", data) for route in routes]
        return " / ".join(sorted({_said(answer) for answer in answers}))

    async def _search(self, data: bytes) -> httpx.Response:
        return await self.post(f"{self._to.gallery}/api/search", "image", data)

    @staticmethod
    def _id_of(answer: httpx.Response) -> str | None:
        return answer.json()["files"][0]["id"] if answer.status_code == httpx.codes.ACCEPTED else None

    async def _settled(self, count: int) -> dict[str, dict[str, Any]]:
        """Ready and failed assets, once there are as many as that."""
        async with asyncio.timeout(_ASSETS_S):
            while True:
                found = [item for status in ("ready", "failed") async for item in self._list(status)]
                if len(found) >= count:
                    return {item["id"]: item for item in found}
                await asyncio.sleep(0.5)

    async def _list(self, status: str) -> Any:
        query: dict[str, Any] = {"status": status, "limit": 500}
        while True:
            answer = await self._client.get(f"{self._to.gallery}/api/assets", params=query)
            page = answer.raise_for_status().json()
            for item in page["items"]:
                yield item
            if not page.get("next_cursor"):
                return
            query["cursor"] = page["next_cursor"]


def _said(answer: httpx.Response) -> str:
    """The status, and the problem's code where it is one."""
    if answer.is_success:
        return str(answer.status_code)
    return f"{answer.status_code} {answer.json()['code']}"


def _end_of(asset: dict[str, Any] | None) -> str:
    if asset is None:
        return ""
    return f"failed: {asset['error_code']}" if asset["status"] == "failed" else str(asset["status"])
