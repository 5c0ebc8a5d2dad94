"""Every claim under `hashes/`, against the assets whose rows have that content, in two looks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from dam import keys
from dam.claims import Claim
from dam.errors import ObjectNotFoundError
from dam.together import for_each
from dam.verify.facts import COLUMNS, ClaimFacts, State, make_state
from dam.verify.judging import judge_claim
from dam.verify.objects import content_of, list_named
from dam.verify.streams import Named, pull

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from dam.catalogue.row import Row
    from dam.catalogue.storage import TableHandle
    from dam.verify.findings import Finding
    from dam.verify.scope import Scope
    from dam.verify.suspects import Suspects

_WINDOW: Final = 256


class ClaimLook:
    """Both looks at claims. A quick one reads only those that no row speaks for."""

    def __init__(self, scope: Scope, handle: TableHandle) -> None:
        self._scope = scope
        self._handle = handle

    async def first(self, pieces: Iterator[list[State]], suspects: Suspects) -> None:
        """Look at every content once; `pieces` has all states that have one, sorted by it."""
        some: list[tuple[str, list[State], bool]] = []
        async for item in self._join(pieces):
            some.append(item)
            if len(some) == _WINDOW:
                await self._look_at(some, suspects)
                some = []
        await self._look_at(some, suspects)

    async def second(self, lines: Sequence[dict[str, Any]]) -> list[tuple[ClaimFacts, Finding | None]]:
        """What is still wrong with these."""
        await self._scope.worker.run(self._handle.refresh)
        claims = await for_each(lines, lambda line: self._read(line["name"]), self._scope.options.parallel)
        ids = {asset_id for line in lines for asset_id in line["ids"]}
        ids |= {facts.claim.id for facts in claims if facts.claim}
        found = await self._scope.worker.run(self._handle.read_revisions, ids)
        states = {asset_id: _state_of(rows) for asset_id, rows in found.items()}

        async def look(facts: ClaimFacts, line: dict[str, Any]) -> tuple[ClaimFacts, Finding | None]:
            wanted = {*line["ids"], *({facts.claim.id} if facts.claim else ())}
            own = [states[key] for key in sorted(wanted) if key in states]
            having = tuple(item for item in own if item.sha256 == facts.sha256 and not item.is_purged)
            holder = states.get(facts.claim.id) if facts.claim else None
            facts = replace(facts, states=having, holder=holder)
            if facts.claim:
                facts = replace(facts, has_original=await self._is_there(facts.claim.key))
            return facts, judge_claim(facts, self._scope.oldest)

        pairs = list(zip(claims, lines, strict=True))
        return await for_each(pairs, lambda pair: look(*pair), self._scope.options.parallel)

    async def _look_at(self, some: Sequence[tuple[str, list[State], bool]], suspects: Suspects) -> None:
        async def look(item: tuple[str, list[State], bool]) -> bool:
            """Whether it looks wrong, as far as can be seen without the holder's row."""
            sha256, states, is_listed = item
            if not is_listed:
                return True
            if states and self._scope.options.quick:
                return False
            facts = replace(await self._read(sha256), states=tuple(states), has_original=False)
            return judge_claim(facts, self._scope.oldest) is not None

        looks = await for_each(some, look, self._scope.options.parallel)
        for (sha256, states, _), is_suspect in zip(some, looks, strict=True):
            if is_suspect:
                suspects.add(sha256, {keys.claim(sha256)}, ids=[state.id for state in states])
        self._scope.advance(len(some))

    async def _join(self, pieces: Iterator[list[State]]) -> AsyncIterator[tuple[str, list[State], bool]]:
        """Each content that a row or a claim has: the rows, and whether there is a claim."""
        states = Named(pull(pieces, self._scope.worker), lambda state: state.sha256 or "")
        claims = Named(
            list_named(self._scope.store, keys.HASHES, content_of, self._scope.tell_other),
            lambda item: content_of(item.key) or "",
        )
        await claims.start()
        await states.start()
        while names := [item.at for item in (states, claims) if item.at is not None]:
            name = min(names)
            yield name, await states.take(name), bool(await claims.take(name))

    async def _read(self, sha256: str) -> ClaimFacts:
        try:
            found = await self._scope.store.get(keys.claim(sha256))
        except ObjectNotFoundError:
            return ClaimFacts(sha256, None, None, ())
        try:
            claim = Claim.model_validate_json(found.data)
        except ValidationError:
            claim = None
        return ClaimFacts(sha256, claim, found.info.last_modified, ())

    async def _is_there(self, key: str) -> bool:
        try:
            await self._scope.store.head(key)
        except ObjectNotFoundError:
            return False
        return True


def _state_of(rows: Sequence[Row]) -> State:
    return make_state([{name: getattr(row, name) for name in COLUMNS} for row in rows])
