"""What the Bento answered, read whole. Made by `inference`; decides nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dam.errors import InferenceError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, all of it."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def is_of(self, hundred: int) -> bool:
        """Whether the status is one of that hundred."""
        return self.status // 100 * 100 == hundred

    def parse(self) -> dict[str, Any] | None:
        """The body where it is a JSON object."""
        try:
            body = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return body if isinstance(body, dict) else None

    def refusal(self) -> InferenceError:
        """A 4xx as the error of this picture; its problem body names code and reason."""
        problem = self.parse() or {}
        detail = problem.get("detail") or f"The Bento refused the picture (status {self.status})."
        return InferenceError(str(problem.get("code") or "refused_by_bento"), str(detail))

    def retry_after(self) -> float | None:
        """Seconds; the form with a date is not used by our services."""
        try:
            return max(0.0, float(self.headers["Retry-After"]))
        except (KeyError, ValueError):
            return None
