"""The real service, asked one thing at a time: what it answers, and its probes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from PIL import Image

from bentos.captioner import Captioner
from bentos.embedder import Embedder
from bentos.modelsets import locate
from dam.pictures.decoding import decode
from tests.bentos.asking import check_schema, encoded, picture, post

if TYPE_CHECKING:
    from tests.bentos.serving import Served

SAMPLES = sorted((Path(__file__).parents[2] / "samples").glob("drawn-00*"))


def test_captions_are_the_models_own(bento: Served, description: dict[str, Any]) -> None:
    """`/caption` answers what the captioner says to the decoded picture, and names model and set."""
    captioner = Captioner(locate("demo", None).captioner)
    for path in SAMPLES[:4]:
        answer = post(bento, "/caption", **picture(path.read_bytes()))
        assert answer.status_code == 200
        check_schema(description, answer, "/caption")
        [expected] = captioner.caption([captioner.prepare(decode(path))])
        assert answer.json() == {
            "caption": expected,
            "model": "dam-demo-blip",
            "revision": locate("demo", None).description.caption.revision,
            "model_set": "demo",
        }


def test_embeddings_are_the_models_own(bento: Served, description: dict[str, Any]) -> None:
    """`/embed` answers the embedder's vector of a picture, of length 1 and as long as it says."""
    embedder = Embedder(locate("demo", None).embedder)
    for path in SAMPLES[:4]:
        answer = post(bento, "/embed", **picture(path.read_bytes()))
        assert answer.status_code == 200
        check_schema(description, answer, "/embed")
        body = answer.json()
        [expected] = embedder.embed_images([embedder.prepare_image(decode(path))])
        assert body["embedding"] == pytest.approx(expected, abs=1e-5)
        assert body["dim"] == len(body["embedding"]) == 128
        assert sum(value * value for value in body["embedding"]) == pytest.approx(1)


def test_text_comes_as_form_or_json(bento: Served, description: dict[str, Any]) -> None:
    """A text is embedded the same whichever way it is sent, and as the embedder does."""
    embedder = Embedder(locate("demo", None).embedder)
    text = "two foxes on plain purple — ÄÖ 🦊"
    answers = [
        post(bento, "/embed", json={"text": text}),
        post(bento, "/embed", files={"text": (None, text)}),
        post(
            bento, "/embed", content=json.dumps({"text": text}), headers={"content-type": "Application/JSON"}
        ),
    ]
    [expected] = embedder.embed_texts([embedder.prepare_text(text)])
    for answer in answers:
        check_schema(description, answer, "/embed")
        assert answer.json()["embedding"] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "HEIF", "AVIF"])
def test_every_format_is_captioned(bento: Served, image_format: str) -> None:
    """All formats of the issue are answered, whatever the part's name and type say."""
    data = encoded(Image.new("RGB", (90, 60), "teal"), image_format)
    answer = post(bento, "/caption", files={"image": ("x.bin", data, "image/jpg")})
    assert answer.status_code == 200
    assert answer.json()["caption"]


def test_probes_and_models(bento: Served, description: dict[str, Any]) -> None:
    """The probes are green once it serves, and `/models` tells of the set in use, with its notice."""
    assert httpx.get(f"{bento.url}/healthz").status_code == 200
    assert httpx.get(f"{bento.url}/readyz").status_code == 200
    answer = httpx.get(f"{bento.url}/models")
    check_schema(description, answer, "/models", "get")
    used = locate("demo", None).description
    assert answer.json() == {
        "model_set": "demo",
        "caption": used.caption.model_dump(),
        "embedding": used.embedding.model_dump(),
        "notice": used.notice,
    }
