"""What an OpenAPI description says of access: the scheme, each operation's scope, and the guard's answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dam.problem import CONTENT_TYPE, Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from dam.access.tokens import Scope

_SCHEME: Final = "token"
_ANSWERS: Final = {
    "401": "No token, or one that is unknown, revoked or over (`no_token`, `bad_token`).",
    "403": "The token lacks the scope (`missing_scope`), another site's page asks for a change "
    "(`foreign_origin`), or without tokens a foreign name was used (`foreign_host`).",
    "429": "More than one token's share (`too_many_requests`); `Retry-After` says when to try again.",
    "503": "The tokens cannot be looked up (`access_unavailable`).",
}


def describe_access(schema: dict[str, Any], needs: Callable[[str, str], Scope | None]) -> dict[str, Any]:
    """The same description, completed; what a route says of a status itself stays."""
    components = schema.setdefault("components", {})
    components.setdefault("schemas", {}).setdefault("Problem", Problem.model_json_schema())
    schemes = components.setdefault("securitySchemes", {})
    schemes[_SCHEME] = {"type": "http", "scheme": "bearer", "description": "`dam token create` makes one."}
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            scope = needs(method.upper(), path)
            if scope is None:
                operation["responses"].setdefault("403", _describe("403"))
                continue
            operation["security"] = [{_SCHEME: [str(scope)]}]
            for status in _ANSWERS:
                operation["responses"].setdefault(status, _describe(status))
    return schema


def _describe(status: str) -> dict[str, Any]:
    content = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": _ANSWERS[status], "content": content}
