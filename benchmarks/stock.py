"""`/embed` on BentoML's own adaptive batching: what `batching --stock` measures beside our lanes.

The same model class and decoding, in the plainest batchable endpoint that takes one picture a request. Not a
part of the product: docs/adr/0001-batching.md says why.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import bentoml
from fastapi.responses import Response
from starlette.datastructures import UploadFile

from bentos.modelsets import locate
from bentos.settings import BentoSettings
from dam.pictures.decoding import decode

if TYPE_CHECKING:
    from starlette.requests import Request


class Pictures(bentoml.IODescriptor):  # type: ignore[misc]  # BentoML exports it without types
    """A list of one: the form's part `image`. BentoML joins the lists of several requests."""

    pictures: list[bytes]

    @classmethod
    async def from_http_request(cls, request: Request, serde: Any) -> Pictures:  # noqa: ARG003 - its signature
        """Read the form."""
        part = (await request.form())["image"]
        assert isinstance(part, UploadFile)  # noqa: S101 - the benchmark sends nothing else
        return cls(pictures=[await part.read()])


class Vectors(bentoml.IODescriptor):  # type: ignore[misc]  # as above
    """One vector as JSON."""

    @classmethod
    async def to_http_response(cls, obj: Any, serde: Any) -> Response:  # noqa: ARG003 - its signature
        """Answer it."""
        return Response(json.dumps({"embedding": obj[0]}), media_type="application/json")


@bentoml.service(
    name="stock",
    workers=1,
    traffic={"timeout": 300},
    logging={"access": {"enabled": False}},
    tracing={"excluded_urls": [".*"]},
)
class StockBento:
    """The embedder behind BentoML's dispatcher."""

    def __init__(self) -> None:
        from bentos.embedder import Embedder  # noqa: PLC0415 - the supervisor must not carry torch

        settings = BentoSettings()
        self._embedder = Embedder(locate(settings.model_set, settings.models_dir).embedder)

    @bentoml.api(  # type: ignore[untyped-decorator]  # as above
        route="/embed",
        batchable=True,
        max_batch_size=16,
        max_latency_ms=60_000,
        input_spec=Pictures,
        output_spec=Vectors,
    )
    def embed(self, pictures: list[bytes]) -> list[list[float]]:
        """Decode and embed one batch."""
        return self._embedder.embed_images(
            [self._embedder.prepare_image(decode(picture)) for picture in pictures]
        )
