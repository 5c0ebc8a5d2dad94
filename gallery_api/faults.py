"""What is wrong with a request, as sentences for people. Pure.

`app` calls this with what FastAPI and pydantic have found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_NO_OBJECT: Final = {"dict_type", "model_type", "model_attributes_type"}


def explain(faults: Sequence[Any]) -> str:
    """All of them, each with its place."""
    return f"The request is wrong. {' '.join(_tell(fault) for fault in faults)}"


def _tell(fault: Any) -> str:
    where, place = str(fault["loc"][0]), ".".join(str(part) for part in fault["loc"][1:])
    match fault["type"]:
        case "json_invalid":
            return f"The body is no JSON: {fault['ctx']['error']}."
        case "extra_forbidden":
            return f"There is no {'field' if where == 'body' else 'parameter'} {place!a:.80}."
        case "missing":
            return f"{place or 'The body'} is missing."
        case kind if kind in _NO_OBJECT and not place:
            return "The body must be a JSON object, sent as application/json."
        case _:
            said = str(fault["msg"]).removeprefix("Value error, ")
            return f"{place or where}: {said}."
