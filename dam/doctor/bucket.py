"""The bucket: whether it answers, what our key may do in it, and whether its conditional puts hold.

Works on two objects below `doctor/` under a name of its own, and removes them whatever happens.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from dam import keys
from dam.doctor.conditions import check_conditions
from dam.doctor.findings import Finding, Tell, Verdict
from dam.doctor.places import can_be_made, folder_of
from dam.errors import ObjectNotFoundError, StoreError
from dam.ids import new_id
from dam.store.opening import open_store
from dam.threads import run_apart

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from dam.doctor.settings import DoctorSettings
    from dam.store.port import ObjectStore

_BODY: Final = b"dam doctor"
_CLEAN_UP_S: Final = 10.0
_LEFT_BEHIND: Final = timedelta(hours=1)
_RIGHTS: Final = {
    "put": "s3:PutObject",
    "head": "s3:GetObject",
    "get": "s3:GetObject",
    "list": "s3:ListBucket",
    "delete": "s3:DeleteObject",
}


async def check_bucket(settings: DoctorSettings, tell: Tell) -> None:
    """Findings named `bucket` and `bucket.…`.

    Raises:
        SettingsError: the URL, or a credential, is missing or wrong.
        StoreUnavailableError: it does not answer; the sentence says why.
    """
    folder = folder_of(settings.store_url)
    if folder is not None and not await run_apart(folder.exists):
        tell(await run_apart(lambda: _judge_missing(folder)))
        return
    store = await open_store(settings)
    try:
        await store.ping()
        tell(Finding("bucket", Verdict.WELL, f"{store.url} answers."))
        await _Trial(store, tell).run()
    finally:
        await store.close()


def _judge_missing(folder: Path) -> Finding:
    if can_be_made(folder):
        return Finding("bucket", Verdict.WELL, f"{folder} is not there yet; the first service makes it.")
    remedy = "Let this user write there, or name another folder in DAM_STORE_URL or DAM_DATA_DIR."
    return Finding("bucket", Verdict.BROKEN, f"{folder} is not there, and cannot be made.", remedy)


class _Trial:
    def __init__(self, store: ObjectStore, tell: Tell) -> None:
        self._store = store
        self._tell = tell
        self._key = f"{keys.DOCTOR}{new_id()}"
        self._condition_key = f"{self._key}-conditions"
        self._failed: set[str] = set()

    async def run(self) -> None:
        """Every right by itself: a key that may not write may still read."""
        try:
            is_there = await self._try("put", self._put)
            for right, call in (("head", self._head), ("get", self._get), ("list", self._list)):
                await self._try(right, call)
            if is_there:
                await check_conditions(self._store, self._condition_key, self._tell)
        finally:
            await self._remove()
        if not self._failed:
            names = ", ".join(_RIGHTS)
            self._tell(Finding("bucket.rights", Verdict.WELL, f"Our key may {names}."))

    async def _try(self, right: str, call: Callable[[], Awaitable[None]]) -> bool:
        try:
            await call()
        except StoreError as error:
            self._failed.add(right)
            remedy = f"Give the key in DAM_STORE_ACCESS_KEY_ID the right to {right} ({_RIGHTS[right]})."
            self._tell(Finding(f"bucket.{right}", Verdict.BROKEN, f"No {right}: {error}", remedy))
            return False
        return True

    async def _put(self) -> None:
        await self._store.put(self._key, _BODY)

    async def _head(self) -> None:
        try:
            await self._store.head(self._key)
        except ObjectNotFoundError:
            self._expect_absent()

    async def _get(self) -> None:
        try:
            found = await self._store.get(self._key)
        except ObjectNotFoundError:
            self._expect_absent()
            return
        if found.data != _BODY:
            raise StoreError(f"{self._key} reads otherwise than it was written.")

    async def _list(self) -> None:
        names = []
        oldest = datetime.now(UTC) - _LEFT_BEHIND
        async for found in self._store.list(keys.DOCTOR):
            names.append(found.key)
            if found.last_modified < oldest:  # of a run that was killed
                await self._store.delete(found.key)
        if self._key not in names:
            self._expect_absent()

    def _expect_absent(self) -> None:
        """That there is nothing is an answer too, where nothing could be written."""
        if "put" not in self._failed:
            raise StoreError(f"{self._key} was written, and is not there.")

    async def _remove(self) -> None:
        async with asyncio.timeout(_CLEAN_UP_S):
            if await self._try("delete", self._delete) or "put" in self._failed:
                return
        left = f"{self._key} and {self._condition_key} are left in the bucket."
        self._tell(Finding("bucket.left", Verdict.WARNING, left, f"Remove what lies below {keys.DOCTOR}."))

    async def _delete(self) -> None:
        for key in (self._key, self._condition_key):
            await self._store.delete(key)
        if "put" in self._failed or "head" in self._failed:
            return
        try:
            await self._store.head(self._key)
        except ObjectNotFoundError:
            return
        raise StoreError(f"{self._key} was deleted, and is still there.")
