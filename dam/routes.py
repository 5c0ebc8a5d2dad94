"""Routes and default ports, stated once for servers and clients alike."""

from __future__ import annotations

from typing import Final

GALLERY_PORT: Final = 8000
BENTO_PORT: Final = 3000
INGEST_PORT: Final = 8001
ORCHESTRATOR_PORT: Final = 8003

CAPTION: Final = "/caption"
EMBED: Final = "/embed"
MODELS: Final = "/models"
SAMPLE: Final = "/sample.png"
"""A picture to try the Bento with."""
UPLOAD: Final = "/upload"
LIVE: Final = "/healthz"
READY: Final = "/readyz"
METRICS: Final = "/metrics"

KEEP_ALIVE_S: Final = 75
"""How long a service keeps an idle connection: longer than proxies and clients do, which else send a request
on a connection that is just being closed."""
