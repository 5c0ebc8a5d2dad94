"""Whether a service may listen where it is told to: beyond loopback only with tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from dam.access.origins import is_loopback
from dam.errors import SettingsError, StoreUnavailableError

if TYPE_CHECKING:
    from dam.access.sources import TokenSource

log = structlog.get_logger()

MAKE_ONE: Final = "`dam token create NAME --scope admin` makes one."
"""For services that know their tokens from the bucket."""


async def check_host(host: str, source: TokenSource, make_one: str) -> None:
    """Raise `SettingsError` where there is no token; `make_one` says how to make one.

    Where the bucket does not answer now, nobody knows: the service starts, and lets nobody in until it does.

    Raises:
        AccessError: the book is there and cannot be understood.
    """
    try:
        tokens = await source.tokens()
    except StoreUnavailableError as error:
        log.warning("access.unknown_yet", error=str(error))
        return
    if not tokens and not is_loopback(host):
        raise SettingsError(
            f"It would listen on {host or 'every address'}, where others reach it, and there is no token, "
            f"so everybody might do everything. {make_one} Or let it listen on 127.0.0.1."
        )
