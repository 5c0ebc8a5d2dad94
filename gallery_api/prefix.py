"""What the addresses of the API begin with; all others are pages of the frontend."""

from __future__ import annotations

from typing import Final

API: Final = "/api"
