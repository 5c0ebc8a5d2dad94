"""The gallery's API answers what its description says, of assets that are there and of others."""

from __future__ import annotations

import json
import time
import zlib
from typing import TYPE_CHECKING, Any, Final

import httpx
import jsonschema
import pytest
import schemathesis

from tests.contract.conforming import SETTINGS

if TYPE_CHECKING:
    from tests.contract.conforming import Answers
    from tests.contract.conftest import Served

EVENTS: Final = "/api/events"
# A stream that never ends is no answer that could be validated: it is looked at by itself, below.
schema: Final = schemathesis.pytest.from_fixture("gallery_schema").exclude(path=EVENTS)


@pytest.fixture(scope="module")
def gallery_schema(served: Served) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_url(f"{served.addresses.gallery}/api/openapi.json")


def put_in(served: Served, case: schemathesis.Case[Any]) -> None:
    """An id that is there, and a revision that fits, three times of four: told by the request itself."""
    request = repr((case.path_parameters, case.query, case.headers, case.body))
    number = zlib.crc32(request.encode(errors="replace"))
    if number % 4 == 0:
        return
    asset_id = choose(served, case.operation.label, number // 4)
    known = {"asset_id": asset_id, "like": asset_id, "if-match": "*"}
    for values in (case.path_parameters, case.query, case.headers):
        for name in known.keys() & (values or {}).keys():
            values[name] = known[name]
    if isinstance(case.body, dict):
        fitting: dict[str, Any] = {"ids": [asset_id], "revision": 1, "image": served.picture}
        case.body |= {name: fitting[name] for name in fitting.keys() & case.body.keys()}


def choose(served: Served, operation: str, number: int) -> str:
    """One whose status lets the operation work: what is deleted is never restored by chance."""
    if operation.startswith("POST /api/jobs/"):
        return served.failed
    if operation.startswith("DELETE ") or operation.endswith("/restore"):
        return served.ids[0]
    return served.ids[1 + number % (len(served.ids) - 1)]


@schema.parametrize()
@SETTINGS
def test_every_answer_is_described(case: schemathesis.Case[Any], served: Served, answers: Answers) -> None:
    """Whatever is asked, sent or changed, pictures and uploads among it: an answer of those described."""
    put_in(served, case)
    answers.check(case)


def test_every_event_is_described(served: Served) -> None:
    """The stream's type, and the data of the events of all that was changed."""
    described = httpx.get(f"{served.addresses.gallery}/api/openapi.json").json()
    rules = jsonschema.Draft202012Validator({**described, "$ref": "#/components/schemas/Event"})
    stated = described["paths"][EVENTS]["get"]["responses"]["200"]["content"]
    waited_for, deadline = {*served.ids, served.failed}, time.monotonic() + 30
    headers = {"Last-Event-ID": "0-0"}
    with httpx.stream("GET", served.addresses.gallery + EVENTS, headers=headers, timeout=20) as answer:
        assert answer.status_code == httpx.codes.OK
        assert answer.headers["content-type"].partition(";")[0] in stated
        for line in answer.iter_lines():
            assert time.monotonic() < deadline, f"No event told of {waited_for}."
            if line.startswith("data: "):
                event = json.loads(line.removeprefix("data: "))
                rules.validate(event)
                waited_for.discard(event["id"])
                if not waited_for:
                    break
