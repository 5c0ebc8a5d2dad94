"""Single requests to a running Bento, and the check that its description holds. Used by tests over HTTP."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

import httpx
from jsonschema import Draft202012Validator

if TYPE_CHECKING:
    from PIL import Image

    from tests.bentos.serving import Served

JSON: Final[dict[str, Any]] = {"headers": {"content-type": "application/json"}}
NO_BOUNDARY: Final[dict[str, Any]] = {
    "content": b"no form",
    "headers": {"content-type": "multipart/form-data"},
}


def post(bento: Served, route: str, **request: Any) -> httpx.Response:
    """One request, as any client sends it."""
    return httpx.post(bento.url + route, timeout=30, **request)


def picture(data: bytes, name: str = "photo.jpg") -> dict[str, Any]:
    """A form with one picture."""
    return {"files": {"image": (name, data)}}


def check_schema(
    description: dict[str, Any], answer: httpx.Response, route: str, method: str = "post"
) -> None:
    """The answer's status and content type are described, and its body fits the schema given there."""
    described = description["paths"][route][method]["responses"][str(answer.status_code)]["content"]
    schema = described[answer.headers["content-type"]]["schema"]
    Draft202012Validator({**schema, "components": description["components"]}).validate(answer.json())


def encoded(image: Image.Image, image_format: str, **options: Any) -> bytes:
    """The bytes of a picture file."""
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()
