"""Who may use the upload API: probes and its description are open, all else needs the scope `upload`."""

from __future__ import annotations

from typing import Final

from dam import routes
from dam.access.guard import Policy
from dam.access.tokens import Scope

DOCS_ASSETS: Final = "/docs-assets"
_OPEN: Final = frozenset({routes.LIVE, routes.READY, routes.METRICS, "/docs", "/openapi.json"})


def needs(_method: str, path: str) -> Scope | None:
    """The scope that a request needs."""
    return None if path in _OPEN or path.startswith(f"{DOCS_ASSETS}/") else Scope.UPLOAD


POLICY: Final = Policy(needs)
