"""Who may use the Bento: probes, metrics and its pages are open, inference needs the scope `infer`."""

from __future__ import annotations

from typing import Final

import click

from dam import routes
from dam.access.guard import Policy
from dam.access.tokens import Scope

_OPEN: Final = frozenset(
    {"/", "/docs", "/openapi.json", routes.LIVE, routes.READY, routes.METRICS, routes.SAMPLE}
)
_PAGES: Final = "/swagger/"


def needs(_method: str, path: str) -> Scope | None:
    """The scope that a request needs."""
    return None if path in _OPEN or path.startswith(_PAGES) else Scope.INFER


POLICY: Final = Policy(needs)


LOOPBACK: Final = "127.0.0.1"
"""Where the Bento listens unless it is told otherwise."""


def find_host() -> str:
    """Where `bentoml serve` was told to listen. Only its command line knows; BentoML hands it to no hook."""
    context = click.get_current_context(silent=True)
    host = context.params.get("host") if context else None
    return str(host or LOOPBACK)
