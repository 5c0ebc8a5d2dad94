"""Who may do what in the gallery: its pages and probes are open, and signing in; the API needs tokens.

Every way of reading needs `read`, uploads need `upload`, and whatever changes something needs `edit`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dam.access.guard import Policy
from dam.access.tokens import Scope
from gallery_api.prefix import API

if TYPE_CHECKING:
    from gallery_api.settings import GallerySettings

COOKIE_PATH: Final = API
_SESSION: Final = f"{API}/session"
_OPEN: Final = frozenset({_SESSION, f"{API}/docs", f"{API}/openapi.json"})
_DOCS_ASSETS: Final = f"{API}/docs-assets/"
_UPLOAD: Final = f"{API}/upload"
_SEARCH: Final = f"{API}/search"
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def needs(method: str, path: str) -> Scope | None:
    """The scope that a request needs."""
    is_api = path == API or path.startswith(f"{API}/")
    if not is_api or path in _OPEN or path.startswith(_DOCS_ASSETS):
        return None
    if path == _UPLOAD or path.startswith(f"{_UPLOAD}/"):
        return Scope.UPLOAD
    if method in _READING or path == _SEARCH:  # a picture to search by is posted
        return Scope.READ
    return Scope.EDIT


def make_policy(settings: GallerySettings) -> Policy:
    """The gallery's rule, with a cookie for browsers."""
    return Policy(needs, takes_cookie=True, allowed_origins=settings.origins)
