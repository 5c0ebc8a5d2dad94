"""Erases the earlier revisions of purged assets: the one exception to a table that only grows.

`Catalogue` runs this in its thread, for purge alone. A `purged` row stays for ever; every other row of its
asset goes. All of it may be cut off anywhere and done again. It must never remove a file that a commit under
way may still name, so its vacuum takes only files that the table's log has dropped.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Final

import structlog
from deltalake import PostCommitHookProperties, WriterProperties
from deltalake.exceptions import CommitFailedError

from dam.catalogue.row import PURGED
from dam.catalogue.storage import match_ids, translated
from dam.errors import CatalogueUnavailableError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from dam.catalogue.storage import TableHandle

log = structlog.get_logger()

IDS_AT_ONCE: Final = 2_000
"""In one DELETE; ids sort by time, so neighbours lie in the same files."""
_NO_HOOKS: Final = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)
_WRITER: Final = WriterProperties(max_row_group_size=8192, compression="ZSTD")
"""As compaction writes: one row group is held."""
_RACE_BUDGET_S: Final = 120.0
_LONGEST_WAIT_S: Final = 2.0


def erase_revisions(handle: TableHandle, ids: Collection[str]) -> int:
    """Remove every row of these purged assets but the `purged` one; return how many went.

    An asset that is not purged is left alone, whoever names it.

    Raises:
        CatalogueUnavailableError: some rows may be left; call again.
    """
    handle.refresh()
    purged = _keep_purged(handle, sorted(ids))
    return sum(_erase(handle, purged[at : at + IDS_AT_ONCE]) for at in range(0, len(purged), IDS_AT_ONCE))


def vacuum_dropped(handle: TableHandle) -> int:
    """Remove every file that the newest version no longer has, whatever its age; return how many went.

    Whoever reads an older version at this moment has to start again. Files that no version has named yet
    stay: they may be a commit under way.
    """
    handle.refresh()
    with translated("The catalogue's old files cannot be removed"):
        removed = handle.delta.vacuum(
            retention_hours=0,
            dry_run=False,
            enforce_retention_duration=False,
            post_commithook_properties=_NO_HOOKS,
        )
    log.info("catalogue.vacuumed", files=len(removed), table_version=handle.delta.version())
    return len(removed)


def _keep_purged(handle: TableHandle, ids: Sequence[str]) -> list[str]:
    found: set[str] = set()
    for at in range(0, len(ids), IDS_AT_ONCE):
        predicate = f"event = '{PURGED}' AND ({match_ids(ids[at : at + IDS_AT_ONCE])})"
        for batch in handle.scan(["id"], predicate):
            found.update(batch.column("id").to_pylist())
    return sorted(found)


def _erase(handle: TableHandle, ids: Sequence[str]) -> int:
    """One DELETE, again from the newest version after each lost race."""
    deadline = time.monotonic() + _RACE_BUDGET_S
    predicate = f"event <> '{PURGED}' AND ({match_ids(ids)})"
    races = 0
    while True:
        handle.refresh()
        with translated("The rows of purged assets cannot be erased"):
            try:
                metrics = handle.delta.delete(
                    predicate, writer_properties=_WRITER, post_commithook_properties=_NO_HOOKS
                )
            except CommitFailedError as error:
                races += 1
                if time.monotonic() > deadline:
                    raise CatalogueUnavailableError(
                        f"The rows of {len(ids)} purged assets lost the race for the catalogue "
                        f"{races} times; purge again later. {error}"
                    ) from error
            else:
                return int(metrics["num_deleted_rows"] or 0)
        time.sleep(random.uniform(0, min(_LONGEST_WAIT_S, 0.05 * 2 ** min(races, 10))))  # noqa: S311 - jitter, not a secret
