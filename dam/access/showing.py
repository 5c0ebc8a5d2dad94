"""How a client of ours shows its token."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import SecretStr


def bearer(token: SecretStr | None) -> dict[str, str]:
    """The header, or none where there is no token."""
    text = token.get_secret_value().strip() if token else ""
    return {"Authorization": f"Bearer {text}"} if text else {}
