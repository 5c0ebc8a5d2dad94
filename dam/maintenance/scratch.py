"""A folder for temporary files that ends with its process, however that ends.

A killed process leaves a copy of the snapshot behind; kill after kill they would fill the disk. So each
folder is locked by its owner, and whoever makes one removes those that are old and locked by nobody.
"""

from __future__ import annotations

import fcntl
import shutil
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX: Final = "dam-maintenance-"
_LOCK: Final = "lock"
_YOUNG_S: Final = 3600.0
"""A younger folder may be about to be locked."""


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new folder, removed at the end."""
    _sweep(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as name:
        folder = Path(name)
        with (folder / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder


def _sweep(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        with suppress(OSError):  # somebody else's, or removed meanwhile
            if time.time() - folder.stat().st_mtime < _YOUNG_S:
                continue
            with (folder / _LOCK).open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
