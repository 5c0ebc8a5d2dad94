"""Sends every file and every name of the tables once, and keeps how each ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.bad_input.names import NAMES
from tests.bad_input.sending import Sender, Told
from tests.bad_input.table import TABLE
from tests.ingest.pictures import picture

if TYPE_CHECKING:
    import httpx

    from tests.bad_input.running import Stack


@dataclass
class Corpus:
    """How everything ended: variants of a case by its name, and names by what they are."""

    cases: dict[str, list[Told]] = field(default_factory=dict)
    names: dict[str, Told] = field(default_factory=dict)
    pids_before: dict[str, set[int]] = field(default_factory=dict)


async def send_all(stack: Stack, client: httpx.AsyncClient) -> Corpus:
    """All at once, as far as `Sender` lets it."""
    owners: list[str] = []
    files: list[tuple[bytes, bytes]] = []
    for cases in TABLE.values():
        for case in cases:
            for data in case.files():
                owners.append(case.name)
                files.append((b"picture.jpg", data))  # a name that is wrong for most
    for number, (what, (name, _)) in enumerate(NAMES.items()):
        owners.append(what)
        files.append((name, picture(number)))
    corpus = Corpus(pids_before=stack.pids())
    for owner, told in zip(owners, await Sender(stack, client).send(files), strict=True):
        if owner in NAMES:
            corpus.names[owner] = told
        else:
            corpus.cases.setdefault(owner, []).append(told)
    return corpus
