"""Every asset: its rows, original, thumbnails and vector against each other, in two looks.

The first look joins the sorted listings with the sorted catalogue. The second asks anew for those assets that
looked wrong, one by one, so that what was only on its way is no finding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dam import keys
from dam.together import for_each
from dam.verify.facts import COLUMNS, Facts, State, make_state
from dam.verify.judging import judge_asset
from dam.verify.objects import find_objects, list_named, owner_in_space, owner_of
from dam.verify.reading import find_holder, read_contents
from dam.verify.streams import Named, pull

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from dam.catalogue.storage import TableHandle
    from dam.store.port import ObjectInfo
    from dam.verify.findings import Finding
    from dam.verify.scope import Scope
    from dam.verify.suspects import Suspects

_WINDOW: Final = 256


class AssetLook:
    """Both looks at assets, by the table as `handle` sees it."""

    def __init__(self, scope: Scope, handle: TableHandle) -> None:
        self._scope = scope
        self._handle = handle

    async def first(self, pieces: Iterator[list[State]], suspects: Suspects) -> None:
        """Look at every asset once; `pieces` has all states, sorted by id."""
        some: list[Facts] = []
        async for facts in self._join(pieces):
            some.append(facts)
            if len(some) == _WINDOW:
                await self._look_at(some, suspects)
                some = []
        await self._look_at(some, suspects)

    async def second(self, lines: Sequence[dict[str, Any]]) -> list[tuple[Facts, list[Finding]]]:
        """What is still wrong with these suspects."""
        await self._scope.worker.run(self._handle.refresh)
        found = await self._scope.worker.run(self._handle.read_revisions, [line["name"] for line in lines])

        async def look(line: dict[str, Any]) -> tuple[Facts, list[Finding]]:
            rows = found.get(line["name"])
            state = _state_of(rows, line) if rows else None
            facts = Facts(line["name"], state)
            await find_objects(self._scope.store, facts)
            if not self._scope.options.quick:
                await read_contents(self._scope.store, facts)
            if state is None and facts.originals:
                facts.holder = await find_holder(self._scope.store, facts.originals[0])
            wrong = [item for item in judge_asset(facts, self._scope.oldest) if item.key in line["keys"]]
            return facts, wrong

        return await for_each(lines, look, self._scope.options.parallel)

    async def _look_at(self, some: Sequence[Facts], suspects: Suspects) -> None:
        """Read what has to be read, and judge."""
        if not self._scope.options.quick:
            sizes = await for_each(
                some, lambda facts: read_contents(self._scope.store, facts), self._scope.options.parallel
            )
            self._scope.report.hashed_bytes += sum(sizes)
        for facts in some:
            self._scope.report.assets += facts.state is not None
            self._scope.report.originals += len(facts.originals)
            wrong = {finding.key for finding in judge_asset(facts, self._scope.oldest)}
            if facts.state is None and facts.originals and not wrong:
                self._scope.report.pending += 1
            if wrong:
                dim = facts.state and facts.state.dim
                made_by = facts.state and facts.state.embedding_by
                suspects.add(facts.asset_id, wrong, dim=dim, embedding_by=made_by)
        self._scope.advance(len(some))

    async def _join(self, pieces: Iterator[list[State]]) -> AsyncIterator[Facts]:
        states = Named(pull(pieces, self._scope.worker), lambda state: state.id)
        originals, thumbnails, vectors = (
            Named(list_named(self._scope.store, prefix, owner_of, self._scope.tell_other), _owner)
            for prefix in (keys.ASSETS, keys.THUMBS, keys.VECTORS)
        )
        # Sorted by id as well, but beyond all the others; what is foreign among them is told there.
        adopted = Named(
            list_named(self._scope.store, keys.FORMER_ASSETS_VECTORS, owner_in_space, lambda _: None),
            lambda item: owner_in_space(item.key) or "",
        )
        for objects in (originals, thumbnails, vectors, adopted):
            await objects.start()
        # Rows last: an asset whose row came before its listing was read is seen whole.
        await states.start()
        streams = (states, originals, thumbnails, vectors, adopted)
        while names := [item.at for item in streams if item.at is not None]:
            name = min(names)
            state = await states.take(name)
            yield Facts(
                name,
                state[0] if state else None,
                await originals.take(name),
                await thumbnails.take(name),
                [*await vectors.take(name), *await adopted.take(name)],
            )


def _owner(item: ObjectInfo) -> str:
    return owner_of(item.key) or ""


def _state_of(rows: Sequence[Any], line: dict[str, Any]) -> State:
    """With the vector's dimension that the first look has read, where it is still the same vector's."""
    known = [{name: getattr(row, name) for name in COLUMNS} for row in rows]
    same = known[-1]["embedding_by"] == line["embedding_by"]
    return make_state([*known[:-1], {**known[-1], "dim": line["dim"] if same else None}])
