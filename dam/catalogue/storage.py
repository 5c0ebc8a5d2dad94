"""The Delta table itself: opening, creating, refreshing, reading by id, appending with compare-and-set.

Synchronous: its callers (the commit protocol, `Catalogue`, maintenance) run it in threads, one handle for one
thread at a time. Every failure is raised as `CatalogueUnavailableError`, a lost race as `LostRaceError`.
It must never let deltalake retry a commit by itself: plain appends do not conflict, and two stale handles
would append the same revision.
"""

from __future__ import annotations

import contextlib
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, Self

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, write_deltalake
from deltalake.exceptions import CommitFailedError, TableNotFoundError

from dam.catalogue.encoding import rows_to_table, table_to_rows
from dam.catalogue.row import SCHEMA, SNAPSHOT_SCHEMA, Row
from dam.errors import CatalogueError, CatalogueUnavailableError
from dam.ids import is_id
from dam.veil import veil

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

_CONFIGURATION: Final = {
    "delta.enableChangeDataFeed": "true",
    # Statistics of 34 columns made each commit and each open handle several times larger.
    "delta.dataSkippingStatsColumns": "id,revision,change_id,recorded_at,status",
}
_COMMIT_KEY: Final = "dam.commit"
# Checkpoints are maintenance's work: one that fails after a commit would make a success look like a failure.
_NO_HOOKS: Final = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)
_OPEN_ANEW_AFTER: Final = 64
"""Versions. A handle keeps every commit that it has gone through since it was opened, some 25 KB each; one
that is opened anew begins at the last checkpoint."""
_IDS_PER_RANGE: Final = 16
_MAX_RANGES: Final = 16
_ROW_COLUMNS: Final = SNAPSHOT_SCHEMA.names


class LostRaceError(CatalogueError):
    """Another writer made this version of the table first: refresh, and judge anew."""


class TableHandle:
    """An open Delta table."""

    def __init__(self, table: DeltaTable, options: Mapping[str, str]) -> None:
        self._table = table
        self._options = dict(options)
        self._opened = table.version()

    @classmethod
    def open(cls, uri: str, options: Mapping[str, str]) -> Self:
        """Open the table, or make it; two processes may do so at once.

        Raises:
            CatalogueUnavailableError: the bucket cannot be reached, or holds something unreadable there.
        """
        with translated(f"The catalogue at {uri} cannot be opened"):
            try:
                return cls(DeltaTable(uri, storage_options=dict(options)), options)
            except TableNotFoundError:
                return cls(_create(uri, dict(options)), options)

    @classmethod
    def find(cls, uri: str, options: Mapping[str, str], version: int | None = None) -> Self | None:
        """Open the table as it is, or was at `version`; None where there is none.

        Raises:
            CatalogueUnavailableError: the bucket cannot be reached, or the table is damaged.
        """
        with translated(f"The catalogue at {uri} cannot be opened"):
            try:
                return cls(DeltaTable(uri, version=version, storage_options=dict(options)), options)
            except TableNotFoundError:
                return None

    @property
    def delta(self) -> DeltaTable:
        """The library's own handle, for maintenance."""
        return self._table

    def refresh(self) -> int:
        """See the newest version, and return it."""
        with translated("The catalogue cannot be refreshed"):
            self._table.update_incremental()
            version = self._table.version()
            if version - self._opened >= _OPEN_ANEW_AFTER:
                self._table = DeltaTable(self._table.table_uri, storage_options=self._options)
                self._opened = version = self._table.version()
            return version

    def read_revisions(self, ids: Collection[str]) -> dict[str, list[Row]]:
        """Every revision of these ids, oldest first, without `embedding`; ids without a row are left out."""
        sought = sorted({asset_id for asset_id in ids if is_id(asset_id)})
        if not sought:
            return {}
        found = table_to_rows(self.scan(_ROW_COLUMNS, match_ids(sought)).read_all())
        found.sort(key=lambda row: (row.id, row.revision))
        return {asset_id: list(rows) for asset_id, rows in groupby(found, key=lambda row: row.id)}

    def scan(self, columns: Sequence[str], predicate: str | None = None) -> pa.RecordBatchReader:
        """Rows that match, in no order, as a stream in the catalogue's own types."""
        schema = pa.schema([SCHEMA.field(name) for name in columns])
        with translated("The catalogue cannot be read"):
            reader = pa.RecordBatchReader.from_stream(self._table.scan(list(columns), predicate))
        return pa.RecordBatchReader.from_batches(schema, _cast(reader, schema))

    def append(self, rows: Sequence[Row], commit_id: str) -> None:
        """Append rows as the very next version.

        Raises:
            LostRaceError: that version is there already.
            CatalogueUnavailableError: unclear whether it was written; look with `has_commit`.
        """
        properties = CommitProperties(max_commit_retries=0, custom_metadata={_COMMIT_KEY: commit_id})
        with translated("The rows cannot be appended to the catalogue"):
            try:
                write_deltalake(
                    self._table,
                    rows_to_table(rows),
                    mode="append",
                    commit_properties=properties,
                    post_commithook_properties=_NO_HOOKS,
                )
            except CommitFailedError as error:
                raise LostRaceError(f"Another writer was first: {error}") from error

    def has_commit(self, commit_id: str, since: int) -> bool:
        """Whether a version after `since` (of those seen by the last refresh) carries this commit id."""
        return any(entry.get(_COMMIT_KEY) == commit_id for entry in self.list_commits(since))

    def list_commits(self, since: int) -> Iterable[Mapping[str, Any]]:
        """Commit information of the versions after `since`, newest first."""
        with translated("The catalogue's history cannot be read"):
            count = self._table.version() - since
            return self._table.history(count) if count > 0 else []


def _create(uri: str, options: dict[str, str]) -> DeltaTable:
    """Make the table; whoever loses the race opens the winner's."""
    with contextlib.suppress(Exception):  # judged by whether there is a table now
        return DeltaTable.create(
            uri, SCHEMA, mode="error", configuration=_CONFIGURATION, storage_options=options
        )
    return DeltaTable(uri, storage_options=options)


def match_ids(ids: Sequence[str]) -> str:
    """A predicate for sorted ids: its ranges let files be left out by their statistics, IN does not.

    Few ranges: the engine weighs each of them against each file.
    """
    size = max(_IDS_PER_RANGE, -(-len(ids) // _MAX_RANGES))
    chunks = [ids[at : at + size] for at in range(0, len(ids), size)]
    return " OR ".join(
        f"(id >= '{chunk[0]}' AND id <= '{chunk[-1]}' AND id IN ({', '.join(map(repr, chunk))}))"
        for chunk in chunks
    )


def _cast(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The engine answers with string views; nullability follows our schema."""
    with translated("The catalogue cannot be read"):
        for batch in batches:
            columns = [batch.column(field.name).cast(field.type) for field in schema]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)


@contextlib.contextmanager
def translated(what: str) -> Iterator[None]:
    """Whatever the library raises (OSError, DeltaError, ValueError, Arrow's own), as our error."""
    try:
        yield
    except CatalogueError:
        raise
    except Exception as error:
        # Written for a terminal, with colours and lines.
        raise CatalogueUnavailableError(f"{what} for now: {veil(str(error), ())}") from error
