"""`python -m gallery_api.openapi`: writes `openapi.json` beside it, from which the frontend makes its types.

A test says that the file is current. Nothing is opened.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi

from dam.access.describing import describe_access
from gallery_api.access import needs
from gallery_api.prefix import API
from gallery_api.routes import assets, edits, events, export, figures, files, jobs, search, session, uploads
from gallery_api.routes.described import EXTRA_MODELS, INVALID

if TYPE_CHECKING:
    from fastapi.routing import APIRoute

PATH: Final = Path(__file__).with_name("openapi.json")
TITLE: Final = "Gallery API"
VERSION: Final = "1"
DESCRIPTION: Final = (
    "Browse, search, edit and watch the catalogue. Errors are problem+json, with a stable `code`. Days and "
    "months are those of arrival, in UTC."
)
_OWN_ERRORS: Final = {"HTTPValidationError", "ValidationError"}
_SCHEMA_REF: Final = "#/components/schemas/{model}"


def name_operation(route: APIRoute) -> str:
    """The function's name: short names for generated clients."""
    return route.name


def make_router() -> APIRouter:
    """Every route of the API."""
    router = APIRouter(prefix=API, generate_unique_id_function=name_operation)
    for module in (assets, edits, search, files, jobs, figures, events, uploads, export, session):
        router.include_router(module.router)
    return router


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI page, with the models that only errors name."""
    schema = get_openapi(title=TITLE, version=VERSION, description=DESCRIPTION, routes=app.routes)
    schemas = schema["components"]["schemas"]
    for model in EXTRA_MODELS:
        own = model.model_json_schema(ref_template=_SCHEMA_REF, mode="serialization")
        own.pop("$defs", None)
        schemas[model.__name__] = own
    for name in _OWN_ERRORS:  # every 422 is our problem, never FastAPI's own shape
        schemas.pop(name, None)
    for operation in (item for path in schema["paths"].values() for item in path.values()):
        if "422" in operation["responses"]:
            operation["responses"]["422"] = INVALID[422]
    return describe_access(schema, needs)


def render() -> str:
    """The file's text."""
    app = FastAPI()
    app.include_router(make_router())
    return json.dumps(describe(app), indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the file."""
    PATH.write_text(render(), encoding="utf-8")
    sys.stdout.write(f"{PATH.name} is written.\n")


if __name__ == "__main__":
    main()
