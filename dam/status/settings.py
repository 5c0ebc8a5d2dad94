"""The settings of `dam status`: bucket, queue, where each service answers, and how long it waits for them."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import Field

from dam.local.addresses import USUAL_PORTS, read_note
from dam.local.settings import LocalSettings

_HTTP = r"^https?://"


class StatusSettings(LocalSettings):
    """Built in the command's entry point and passed down."""

    orchestrator_url: str | None = Field(default=None, pattern=_HTTP, description="Where its health is.")
    gallery_url: str | None = Field(default=None, pattern=_HTTP, description="The gallery.")
    status_timeout_s: float = Field(
        default=7.0, gt=0, description="Longest wait for one part; the services' own probes take up to 6 s."
    )

    def urls(self) -> dict[str, str]:
        """By service: its variable's, else that of a running `dam up` or `dam demo`, else the port's."""
        note = read_note(self.data_dir)
        return {name: self.url_of(name) or note.get(name) or self.place_of(name) for name in USUAL_PORTS}

    def secrets(self) -> list[str]:
        """See `DamSettings`; and what the services' URLs and the store's key say of who we are."""
        urls = (self.store_endpoint_url, *(self.url_of(name) for name in USUAL_PORTS))
        signed = [urlsplit(url).netloc.rpartition("@")[0] for url in urls if url]
        key_id = self.store_access_key_id.get_secret_value() if self.store_access_key_id else ""
        return [*super().secrets(), *(text for text in (*signed, key_id) if text)]
