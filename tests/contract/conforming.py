"""Requests made of a service's own description, and what every answer is held against.

Five of Schemathesis's checks are run: no 5xx, no status, content type or body that is not described, and 405
for a method that is not. Left out are those whose rules are not ours:

- `positive_data_acceptance`: much that fits the description is refused for what it says, with a code: both of
  `q` and `like`, an `If-Match` that came too late, a form without a file, a cursor that nobody handed out.
- `negative_data_rejection`: a number is read as a day (`from=0`), as pydantic has it.
- `allow_header_conformance`: `/api/assets/batch` could be an asset's address, so `Allow` names both.
- `response_headers_conformance`, and the checks of access, links and deleted resources: no header is said to
  be always there, there are no links, and a deleted asset can still be seen, as it can be restored.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

if TYPE_CHECKING:
    import schemathesis

_CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    unsupported_method,
]
_ANSWER_S: Final = 20.0
SETTINGS: Final = settings(
    max_examples=12,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
"""The same requests every time, but for ids; a service may take its time over any of them."""


class Answers:
    """Which statuses each operation has answered."""

    def __init__(self) -> None:
        self._seen: defaultdict[str, Counter[int]] = defaultdict(Counter)

    def check(self, case: schemathesis.Case[Any]) -> None:
        """Send the request, and hold the answer against the description."""
        answer = case.call_and_validate(checks=_CHECKS, timeout=_ANSWER_S, allow_redirects=False)
        self._seen[case.operation.label][answer.status_code] += 1

    def never_good(self) -> dict[str, dict[int, int]]:
        """Operations that were only ever refused: nothing would be known of their answers."""
        return {
            label: dict(statuses)
            for label, statuses in self._seen.items()
            if not any(HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES for status in statuses)
        }
