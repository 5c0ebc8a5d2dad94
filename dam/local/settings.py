"""The settings of `dam up`: those of bucket and queue, where services listen, and where the others are.

Built in the command's entry point and passed down. The services read the same variables for themselves; here
they decide which ports are taken and which URLs the services are told.
"""

from __future__ import annotations

from contextlib import ExitStack
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from pydantic import Field

from dam.errors import SettingsError
from dam.local.addresses import LOOPBACK, USUAL_PORTS, Addresses, PortPicker, port_of
from dam.settings import DamSettings

if TYPE_CHECKING:
    from collections.abc import Collection

_HTTP: Final = r"^https?://"
_ANY: Final = {"0.0.0.0": LOOPBACK, "::": LOOPBACK, "": LOOPBACK}  # noqa: S104 - read, not listened on


class LocalSettings(DamSettings):
    """Without a port, the usual one is taken, or a free one near it."""

    bento_url: str | None = Field(
        default=None, pattern=_HTTP, description="The Bento, where it is elsewhere."
    )
    ingest_url: str | None = Field(default=None, pattern=_HTTP, description="The upload API, the same.")
    bento_host: str = LOOPBACK
    bento_port: int | None = Field(default=None, ge=0, le=65535)
    ingest_host: str = LOOPBACK
    ingest_port: int | None = Field(default=None, ge=0, le=65535)
    orchestrator_host: str = LOOPBACK
    orchestrator_port: int | None = Field(default=None, ge=0, le=65535)
    gallery_host: str = LOOPBACK
    gallery_port: int | None = Field(default=None, ge=0, le=65535)

    def hosts(self) -> dict[str, str]:
        """What each service listens on."""
        return {name: self._host(name) for name in USUAL_PORTS}

    def choose_addresses(self, chosen: Collection[str]) -> Addresses:
        """Where each of the `chosen` services is to answer, and where the others are.

        Raises:
            SettingsError: a port that was asked for is taken, or a URL names another machine for a service
                that is to be started here.
        """
        urls = {name: self.place_of(name) for name in USUAL_PORTS if name not in chosen}
        with ExitStack() as held:  # until all are chosen, so that none is chosen twice
            picker = PortPicker(held)
            ports = {name: self._take_asked(picker, name) for name in USUAL_PORTS if name in chosen}
            for name, port in ports.items():
                host = self._host(name)
                urls[name] = base_url(host, port or picker.pick(USUAL_PORTS[name], host))
        return Addresses(**urls)

    def _take_asked(self, picker: PortPicker, name: str) -> int | None:
        """The port that the environment names; None for any."""
        port, host = self._asked_port(name), self._host(name)
        if port and not picker.take(host, port):
            raise SettingsError(
                f"The {name} is to listen on {host}:{port}, but that cannot be had: something listens there "
                f"already, or it is no address of this machine. DAM_{name.upper()}_PORT names another port."
            )
        return port

    def _asked_port(self, name: str) -> int | None:
        url = self.url_of(name)
        if url and not _is_here(url):
            raise SettingsError(
                f"DAM_{name.upper()}_URL names another machine, but the {name} would be started here too: "
                f"leave it out with `--except {name}`, or unset the variable."
            )
        port: int | None = getattr(self, f"{name}_port")
        return port or (port_of(url) if url else None)

    def place_of(self, name: str) -> str:
        """Where a service answers that is not started here."""
        port = getattr(self, f"{name}_port") or USUAL_PORTS[name]
        return (self.url_of(name) or base_url(self._host(name), port)).rstrip("/")

    def url_of(self, name: str) -> str | None:
        """What its own variable says."""
        url: str | None = getattr(self, f"{name}_url", None)
        return url

    def _host(self, name: str) -> str:
        return str(getattr(self, f"{name}_host"))


def base_url(host: str, port: int) -> str:
    """Where this machine reaches what listens on `host`."""
    reached = _ANY.get(host, host)
    return f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"


def _is_here(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
