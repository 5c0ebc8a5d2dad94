"""What taking originals over would do, found out without writing anything: the dry run.

Pictures are not decoded, so that one which is damaged inside shows only when it is taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dam.adopt.assessing import assess, choose_original
from dam.adopt.originals import Content
from dam.adopt.report import Kind
from dam.adopt.taking import tell_duplicate
from dam.claims import read_claim
from dam.errors import ObjectNotFoundError
from dam.together import for_each

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dam.adopt.assessing import Assessment
    from dam.adopt.contents import Contents
    from dam.adopt.options import AdoptOptions
    from dam.adopt.originals import Reader
    from dam.adopt.report import Report
    from dam.adopt.walking import Item
    from dam.store.port import ObjectStore


@dataclass(frozen=True, slots=True)
class Foreseer:
    """One dry run; it counts as `Taker` does."""

    store: ObjectStore
    reader: Reader
    contents: Contents
    options: AdoptOptions
    report: Report

    async def take(self, items: Sequence[Item]) -> None:
        """Count what would become of these. Raises `StoreUnavailableError`."""
        found = await for_each(items, self._look, self.options.parallel)
        for look in found:  # in their order: of two with one content the first has it
            if look is not None:
                await self._count(*look)

    async def recaption(self, items: Sequence[Item]) -> None:
        """Count rows that would get the caption that was there."""
        self.report.recaptioned += len(items)

    async def _look(self, item: Item) -> tuple[Assessment, Content] | None:
        original = choose_original(item, self.report)
        try:
            assessment = await assess(self.store, item, original, self.options, self.report)
            if self.options.quick:
                return assessment, Content("", original.size, await self.reader.read_head(original.key))
            return assessment, await self.reader.read(original.key)
        except ObjectNotFoundError:
            self.report.add(Kind.GONE, original.key, "It was removed while it was being looked at.")
            return None

    async def _count(self, assessment: Assessment, content: Content) -> None:
        report, key = self.report, assessment.original.key
        report.taken += 1
        report.with_caption += assessment.caption is not None
        if content.sha256:
            report.read_bytes += content.size
            claim = await read_claim(self.store, content.sha256)
            held = claim.id if claim is not None and claim.status != "purged" else assessment.asset_id
            first = self.contents.note(content.sha256, held)
            if first != assessment.asset_id:
                tell_duplicate(report, key, first)
        if content.media_type is None:
            report.failed += 1
            problem = (
                "Its first bytes are those of no type that is read. It comes into the gallery as failed."
            )
            report.add(Kind.PICTURE_UNREADABLE, key, problem)
            return
        report.with_vector += assessment.vector is not None
        report.queued += bool(assessment.wants)
