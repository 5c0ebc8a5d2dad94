"""The OpenAPI description: what the routes take, and examples that are true of the running service.

Used by `app`, for its routes and for `/openapi.json`. Every example of an answer is made by the code that
answers, from the sample picture and text; nothing is written down here that could become false.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bentos import refusals
from bentos.answers import CaptionAnswer, EmbeddingAnswer, ModelsAnswer
from bentos.batching import OverloadedError
from bentos.sample import SAMPLE_TEXT, oversized_png, sample_png
from dam import problem, routes
from dam.errors import PictureError
from dam.pictures.decoding import READABLE, decode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import BaseModel

    from bentos.engine import Samples
    from bentos.modelsets import ModelSet
    from bentos.refusals import RefusalError
    from bentos.settings import BentoSettings

DESCRIPTION: Final = (
    "Captions pictures and embeds pictures and texts. Calls that come at once are answered together, in "
    "batches; a lone one waits for nobody. Errors are problem+json, with a stable `code`. The examples are "
    "this service's own answers to its [sample picture](/sample.png) and the text "
    f"“{SAMPLE_TEXT}”. Probes are at `/healthz` and `/readyz`, numbers for Prometheus at `/metrics`."
)

_PICTURE: Final = {"type": "string", "format": "binary", "description": f"One of {READABLE}."}
_TEXT: Final = {"type": "string", "minLength": 1}
_FORM: Final = "multipart/form-data"
_JSON: Final = "application/json"


def _body(content: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": content}}


CAPTION: Final[dict[str, Any]] = {
    "operation_id": "caption",
    "openapi_extra": _body(
        {_FORM: {"schema": {"type": "object", "required": ["image"], "properties": {"image": _PICTURE}}}}
    ),
}
EMBED: Final[dict[str, Any]] = {
    "operation_id": "embed",
    "openapi_extra": _body(
        {
            _FORM: {
                "schema": {
                    "type": "object",
                    "description": "A picture or a text, not both.",
                    "oneOf": [{"required": ["image"]}, {"required": ["text"]}],
                    "properties": {"image": _PICTURE, "text": _TEXT},
                }
            },
            _JSON: {
                "schema": {"type": "object", "required": ["text"], "properties": {"text": _TEXT}},
                "example": {"text": SAMPLE_TEXT},
            },
        }
    ),
}
MODELS: Final[dict[str, Any]] = {"operation_id": "models"}
SAMPLE: Final[dict[str, Any]] = {
    "operation_id": "sample",
    "responses": {
        200: {
            "description": f"Drawn: {SAMPLE_TEXT}.",
            "content": {"image/png": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
}


def complete(
    schema: dict[str, Any], models: ModelSet, samples: Samples, settings: BentoSettings
) -> dict[str, Any]:
    """Add the examples and the errors to what FastAPI made of the routes."""
    _add_examples(schema, routes.CAPTION, "post", picture=CaptionAnswer.of(models, samples.caption))
    _add_examples(
        schema,
        routes.EMBED,
        "post",
        picture=EmbeddingAnswer.of(models, samples.image_embedding),
        text=EmbeddingAnswer.of(models, samples.text_embedding),
    )
    _add_examples(schema, routes.MODELS, "get", set=ModelsAnswer.of(models))
    pictures = _of_pictures(settings)
    of_caption = [*_of_requests(settings, "caption", refusals.HOW), *pictures, refusals.missing_image()]
    of_embed = [*_of_requests(settings, "embed_image", refusals.HOW_EITHER), *pictures, *_of_texts(settings)]
    _add_errors(schema, routes.CAPTION, "post", of_caption)
    _add_errors(schema, routes.EMBED, "post", of_embed)
    _add_errors(schema, routes.MODELS, "get", [refusals.loading()])
    schema["components"]["schemas"]["Problem"] = problem.Problem.model_json_schema()
    return schema


def _of_requests(settings: BentoSettings, lane: str, how: str) -> list[RefusalError]:
    overloaded = [OverloadedError(lane, 12), OverloadedError(lane, 12, waited=True)]
    return [
        refusals.unsupported_body(how),
        refusals.malformed_body(_FORM, "Missing boundary in multipart", how),
        refusals.too_slow(settings.body_timeout_s),
        refusals.too_large(settings.max_body_bytes),
        *(refusals.to_refusal(error) for error in overloaded),
        refusals.loading(),
        refusals.internal_error(),
    ]


def _of_pictures(settings: BentoSettings) -> list[RefusalError]:
    """What decoding says to a text, to half the sample, and to a picture with too many pixels."""
    png, limit = sample_png(), settings.max_pixels
    bodies = (b"This is a text.", png[: len(png) // 2], oversized_png(limit))
    return [refusals.to_refusal(_decoding_error(body, limit)) for body in bodies]


def _decoding_error(data: bytes, max_pixels: int) -> Exception:
    try:
        decode(data, max_pixels=max_pixels)
    except PictureError as error:
        return error
    raise AssertionError("A broken sample was decoded.")


def _of_texts(settings: BentoSettings) -> list[RefusalError]:
    return [
        refusals.missing_input(),
        refusals.ambiguous_input(),
        refusals.empty_text(),
        refusals.unreadable_text(),
        refusals.text_too_long(settings.max_text_chars + 1, settings.max_text_chars),
    ]


def _add_examples(schema: dict[str, Any], route: str, method: str, **answers: BaseModel) -> None:
    content = schema["paths"][route][method]["responses"]["200"]["content"][_JSON]
    content["examples"] = {name: {"value": answer.model_dump()} for name, answer in answers.items()}


def _add_errors(schema: dict[str, Any], route: str, method: str, errors: Iterable[RefusalError]) -> None:
    """A response for each status, with an example for each code."""
    responses = schema["paths"][route][method]["responses"]
    for error in sorted(errors, key=lambda error: error.status):
        status = str(error.status.value)
        if status not in responses:
            responses[status] = {
                "description": error.status.phrase,
                "content": {
                    problem.CONTENT_TYPE: {
                        "schema": {"$ref": "#/components/schemas/Problem"},
                        "examples": {},
                    }
                },
            }
            if error.retry_after_s is not None:
                responses[status]["headers"] = {
                    "Retry-After": {"description": "In seconds.", "schema": {"type": "integer"}}
                }
        examples = responses[status]["content"][problem.CONTENT_TYPE]["examples"]
        examples[error.code] = {"value": error.problem().model_dump()}
