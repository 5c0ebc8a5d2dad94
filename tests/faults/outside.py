"""What is in the bucket and in the catalogue, counted from outside.

With botocore or the file system, deltalake and Pillow: the fault tests trust none of the pipeline's own
adapters or counters.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from deltalake import DeltaTable
from PIL import Image

from dam import keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_COLUMNS: Final = (
    *("id", "revision", "change_id", "status", "sha256", "r2_key", "vector_key"),
    *("error_code", "error_message"),
)


class Bucket(Protocol):
    """A bucket as any tool sees it."""

    @property
    def location(self) -> str:
        """For Delta Lake."""

    @property
    def options(self) -> Mapping[str, str]:
        """For Delta Lake: how to reach it."""

    def get(self, key: str) -> bytes:
        """The bytes; an exception where there is no such object."""

    def list(self, prefix: str) -> Iterator[str]:
        """The keys below a prefix."""

    def delete(self, key: str) -> None:
        """Remove one object."""


@dataclass(frozen=True)
class FolderBucket:
    """The embedded store's folder."""

    folder: Path

    @property
    def location(self) -> str:
        """For Delta Lake."""
        return str(self.folder)

    @property
    def options(self) -> Mapping[str, str]:
        """None are needed."""
        return {}

    def get(self, key: str) -> bytes:
        """See `Bucket`."""
        return (self.folder / key).read_bytes()

    def list(self, prefix: str) -> Iterator[str]:
        """See `Bucket`."""
        for path in (self.folder / prefix).rglob("*"):
            if path.is_file():
                yield str(path.relative_to(self.folder))

    def delete(self, key: str) -> None:
        """See `Bucket`."""
        (self.folder / key).unlink()


@dataclass(frozen=True)
class S3Bucket:
    """A bucket on a real server, by a botocore client that goes past the bad wire."""

    client: Any
    name: str
    options: Mapping[str, str]

    @property
    def location(self) -> str:
        """For Delta Lake."""
        return f"s3://{self.name}"

    def get(self, key: str) -> bytes:
        """See `Bucket`."""
        body: bytes = self.client.get_object(Bucket=self.name, Key=key)["Body"].read()
        return body

    def list(self, prefix: str) -> Iterator[str]:
        """See `Bucket`."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        for page in pages:
            yield from (item["Key"] for item in page.get("Contents", ()))

    def delete(self, key: str) -> None:
        """See `Bucket`."""
        self.client.delete_object(Bucket=self.name, Key=key)


@dataclass(frozen=True)
class Count:
    """What became of the uploads that were answered 202."""

    accepted: int
    enriched: int
    failed_with_reason: int
    lost: int
    duplicates: int
    unreadable: int

    def __str__(self) -> str:
        return " | ".join(map(str, astuple(self)))


def read_rows(bucket: Bucket) -> list[dict[str, Any]]:
    """Every revision of every asset; [] where there is no table yet."""
    uri = f"{bucket.location}/{keys.TABLE}"
    if not DeltaTable.is_deltatable(uri, dict(bucket.options)):
        return []
    table = DeltaTable(uri, storage_options=dict(bucket.options))
    rows: list[dict[str, Any]] = table.to_pyarrow_table(columns=list(_COLUMNS)).to_pylist()
    return rows


def current_of(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The latest revision of each asset."""
    return {row["id"]: row for row in sorted(rows, key=lambda row: row["revision"])}


def has_ended(row: dict[str, Any] | None) -> bool:
    """Enriched, or failed with a reason."""
    if row is None:
        return False
    return row["status"] == "ready" or bool(
        row["status"] == "failed" and row["error_code"] and row["error_message"]
    )


def count(bucket: Bucket, accepted: Mapping[str, bytes]) -> Count:
    """`accepted`: what was sent, by the id in its answer. Duplicates are counted in the whole table."""
    rows = read_rows(bucket)
    current = current_of(rows)
    mine = [current[asset_id] for asset_id in accepted if has_ended(current.get(asset_id))]
    enriched = [row for row in mine if row["status"] == "ready"]
    return Count(
        accepted=len(accepted),
        enriched=len(enriched),
        failed_with_reason=len(mine) - len(enriched),
        lost=len(accepted) - len(mine),
        duplicates=_count_doubles(rows, current),
        unreadable=sum(not _is_readable(bucket, row, accepted[row["id"]]) for row in mine),
    )


def _count_doubles(rows: list[dict[str, Any]], current: dict[str, dict[str, Any]]) -> int:
    """A revision twice, a change twice, or a content that two assets have."""
    return sum(
        len(rows) - len(Counter(row[name] if name == "change_id" else (row["id"], row[name]) for row in rows))
        for name in ("revision", "change_id")
    ) + (len(current) - len({row["sha256"] for row in current.values()}))


def _is_readable(bucket: Bucket, row: dict[str, Any], sent: bytes) -> bool:
    """The original is what was sent; of an enriched one, the vector and every thumbnail can be read."""
    try:
        stored = bucket.get(row["r2_key"])
        if stored != sent or hashlib.sha256(stored).hexdigest() != row["sha256"]:
            return False
        if row["status"] == "ready":
            vector = json.loads(bucket.get(row["vector_key"]))
            if vector["id"] != row["id"] or len(vector["embedding"]) != vector["dim"]:
                return False
            for size in keys.THUMBNAIL_SIZES:
                with Image.open(io.BytesIO(bucket.get(keys.thumbnail(row["id"], size)))) as thumbnail:
                    thumbnail.load()
    except Exception:  # noqa: BLE001 - whatever a reader meets, it could not read
        return False
    return True
