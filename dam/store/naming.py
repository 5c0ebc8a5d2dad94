"""What a key and its metadata may look like: one rule for every adapter, so that data can move."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from dam.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

RESERVED: Final = ".dam"
"""First part of the keys that no object may have: the folder adapter keeps its own files there."""

_LONGEST_KEY: Final = 1024  # bytes, S3's limit
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]*")
_VALUE: Final = re.compile(r"[\x20-\x7e]*")


def check_key(key: str) -> None:
    """Refuse keys that are no plain path below the bucket, so that no key can reach out of a folder.

    Raises:
        StoreError: an empty, absolute, too long or undecodable key, or one with `.`, `..` or an empty part.
    """
    parts = key.split("/")
    if any(part in {"", ".", ".."} for part in parts) or "\0" in key or parts[0] == RESERVED:
        raise StoreError(f"{key!r} cannot be the key of an object: it is not a plain path below the bucket.")
    try:
        size = len(key.encode())
    except UnicodeEncodeError as error:
        raise StoreError(f"{key!r} cannot be the key of an object: it is not valid UTF-8.") from error
    if size > _LONGEST_KEY:
        raise StoreError(f"The key {key[:60]}… is too long: {size} bytes, {_LONGEST_KEY} are allowed.")


def check_metadata(key: str, metadata: Mapping[str, str]) -> None:
    """Refuse metadata that HTTP headers would change. Names are lower case; values are printable ASCII.

    Raises:
        StoreError: naming the first entry that does not fit.
    """
    for name, value in metadata.items():
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value) or value != value.strip():
            raise StoreError(
                f"Metadata {name!r} of {key} does not fit a header: {value!r}. Percent-encode it."
            )
