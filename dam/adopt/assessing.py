"""What one asset would become, judged from what there is of it. It only reads, and tells what is odd."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dam import keys
from dam.adopt.embeddings import Found, read_embedding
from dam.adopt.report import Kind
from dam.originals import job_of

if TYPE_CHECKING:
    from dam.adopt.options import AdoptOptions
    from dam.adopt.report import Report
    from dam.adopt.rows import FormerRow
    from dam.adopt.walking import Item
    from dam.jobs import EnrichJob, Want
    from dam.store.port import ObjectInfo, ObjectStore

_VECTOR_KINDS: Final = {
    "missing": Kind.VECTOR_MISSING,
    "broken": Kind.VECTOR_BROKEN,
    "dimension": Kind.VECTOR_DIMENSION,
}
_ANEW: Final = "It is embedded anew."


@dataclass(frozen=True, slots=True)
class Assessment:
    """One original that is to become an asset. `vector` None where it is to be made anew."""

    asset_id: str
    original: ObjectInfo
    row: FormerRow | None
    vector: list[float] | None

    @property
    def caption(self) -> str | None:
        """The original project's."""
        return self.row.caption if self.row else None

    @property
    def wants(self) -> tuple[Want, ...]:
        """What only the models can make."""
        lacking: list[Want] = []
        if self.caption is None:
            lacking.append("caption")
        if self.vector is None:
            lacking.append("embedding")
        return tuple(lacking)

    def make_job(self, sha256: str, mime_type: str) -> EnrichJob:
        """Its job, as of an upload; the name is the one in the original's table."""
        filename = self.row.filename if self.row else None
        job = job_of(self.original, self.asset_id, sha256)
        return job.model_copy(update={"filename": filename or job.filename, "mime_type": mime_type})


def choose_original(item: Item, report: Report) -> ObjectInfo:
    """The one that its row names, else the first; of the others it is told."""
    named = item.row.r2_key if item.row else None
    chosen = next((found for found in item.originals if found.key == named), item.originals[0])
    for other in item.originals:
        if other is not chosen:
            problem = f"The asset {item.asset_id} has another original, {chosen.key}. This one is left alone."
            report.add(Kind.SECOND_ORIGINAL, other.key, problem)
    return chosen


def tell_lost_row(row: FormerRow, options: AdoptOptions, report: Report) -> None:
    """A row without an original: nothing can be taken over."""
    key = row.r2_key or f"{options.prefix}{row.asset_id}"
    prefix = key.rpartition("/")[0] + "/"
    problem = f"The original's table has {row.filename or row.asset_id}, and there is no such original."
    if prefix != options.prefix and keys.may_hold_originals(prefix):
        problem += f" Its key is not below {options.prefix}: perhaps --prefix {prefix} is meant."
    report.add(Kind.ROW_WITHOUT_ORIGINAL, key, f"{problem} The row is kept in the copy of the table.")


async def assess(
    store: ObjectStore, item: Item, original: ObjectInfo, options: AdoptOptions, report: Report
) -> Assessment:
    """What there is of an asset, beside its pixels.

    Raises:
        ObjectNotFoundError: the original is gone.
        StoreUnavailableError: the bucket does not answer.
    """
    original = await store.head(original.key)
    row = item.row
    if row is None:
        problem = "The original's table has no row of it: it is captioned anew, under the name of its key."
        report.add(Kind.ORIGINAL_WITHOUT_ROW, original.key, problem)
    elif row.caption is None:
        report.add(Kind.CAPTION_MISSING, original.key, "Its row has no caption: it is captioned anew.")
    found = await read_embedding(store, item.asset_id, row.vector_key if row else None, options.dim)
    if found.fault is not None:
        report.add(_VECTOR_KINDS[found.fault], found.key, f"{found.reason} {_ANEW}")
    return Assessment(item.asset_id, original, row, _usable(found, options))


def _usable(found: Found, options: AdoptOptions) -> list[float] | None:
    return found.numbers if options.vectors_by is not None else None
