"""Where a request comes from: another site's page in a browser, or a name that is not ours. No I/O.

A browser sends what a page asks for with the user's cookie, and reaches services on loopback that nobody else
does: so a page of another site must change nothing (CSRF), and a foreign name that was pointed at loopback
must read nothing (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there. A socket's path is such a place too."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost") or name.startswith("/"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def host_of(authority: str) -> str:
    """The host in a `Host` header, without its port."""
    try:
        return urlsplit(f"//{authority}").hostname or ""
    except ValueError:
        return ""


def is_https(scheme: str | None, headers: Mapping[str, str]) -> bool:
    """Whether the client came by HTTPS, to us or to the proxy in front. Who forges that harms nobody else."""
    return "https" in {scheme, headers.get("x-forwarded-proto")}


def is_forged(method: str, headers: Mapping[str, str], allowed: Collection[str] = ()) -> bool:
    """Whether another site's page makes a browser change something here.

    Browsers say where a request comes from (`Sec-Fetch-Site`, and `Origin` since long before); what says
    neither is no browser. `allowed` are origins that may, as `https://gallery.example.com`.
    """
    if method in _SAFE:
        return False
    origin = headers.get("origin")
    if origin is not None and origin in allowed:
        return False
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    if origin is None:
        return False
    try:
        return urlsplit(origin).netloc.lower() != headers.get("host", "").lower()
    except ValueError:
        return True
