"""The real service, asked one thing at a time: answers, refusals, probes and its own description."""

from __future__ import annotations

import io
import json
import re
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from PIL import Image

from bentos.captioner import Captioner
from bentos.embedder import Embedder
from bentos.modelsets import locate
from bentos.sample import SAMPLE_TEXT, oversized_png, sample_png
from dam.pictures.decoding import decode

if TYPE_CHECKING:
    from tests.bentos.serving import Served

SAMPLES = sorted((Path(__file__).parents[2] / "samples").glob("drawn-00*"))
PNG = sample_png()


@pytest.fixture(scope="module")
def description(bento: Served) -> dict[str, Any]:
    answer: dict[str, Any] = httpx.get(f"{bento.url}/openapi.json").json()
    return answer


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


def encoded(image: Image.Image, image_format: str, **options: Any) -> bytes:
    """The bytes of a picture file."""
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "HEIF", "AVIF"])
def test_every_format_is_captioned(bento: Served, image_format: str) -> None:
    """All formats of the issue are answered, whatever the part's name and type say."""
    data = encoded(Image.new("RGB", (90, 60), "teal"), image_format)
    answer = post(bento, "/caption", files={"image": ("x.bin", data, "image/jpg")})
    assert answer.status_code == 200
    assert answer.json()["caption"]


CUT_JPEG = encoded(Image.effect_noise((200, 200), 90), "JPEG")[:5000]
BROKEN_FORM = {"content": b"no form", "headers": {"content-type": "multipart/form-data; boundary=x"}}
NO_BOUNDARY = {"content": b"no form", "headers": {"content-type": "multipart/form-data"}}
JSON = {"headers": {"content-type": "application/json"}}
OF_PICTURES: list[tuple[str, dict[str, Any], int, str]] = [
    ("a text", picture(b"This is a text."), 415, "not_an_image"),
    ("nothing", picture(b""), 415, "not_an_image"),
    ("an SVG", picture(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), 415, "unsupported_format"),
    ("half a PNG", picture(PNG[: len(PNG) // 2]), 400, "truncated"),
    ("a cut JPEG", picture(CUT_JPEG), 400, "truncated"),
    ("a bomb", picture(oversized_png(4_000_000)), 413, "too_many_pixels"),
    ("a real bomb", picture(encoded(Image.new("1", (30000, 30000)), "PNG")), 413, "too_many_pixels"),
    ("too many bytes", picture(bytes(2_000_001)), 413, "too_large"),
    ("no form", {"content": PNG, "headers": {"content-type": "image/png"}}, 415, "unsupported_body"),
    ("no content type", {"content": PNG}, 415, "unsupported_body"),
    ("a broken form", BROKEN_FORM, 400, "malformed_body"),
    ("a form without boundary", NO_BOUNDARY, 400, "malformed_body"),
]
OF_CAPTION = [
    ("no picture", {"files": {"photo": PNG}}, 422, "missing_image"),
    ("an address", {"files": {"image": (None, "http://127.0.0.1/photo.jpg")}}, 422, "missing_image"),
    ("JSON", {"json": {"text": "a boat"}}, 415, "unsupported_body"),
]
OF_EMBED: list[tuple[str, dict[str, Any], int, str]] = [
    ("an empty text", {"json": {"text": " \n"}}, 422, "empty_text"),
    ("an empty field", {"files": {"text": (None, "")}}, 422, "empty_text"),
    ("a long text", {"json": {"text": "x" * 1001}}, 413, "text_too_long"),
    ("half a character", {"content": '{"text": "\\ud800"}', **JSON}, 422, "unreadable_text"),
    ("no text", {"json": {"words": "a boat"}}, 422, "missing_input"),
    ("a number", {"json": {"text": 5}}, 422, "missing_input"),
    ("a list", {"json": ["a boat"]}, 422, "missing_input"),
    ("an empty form", {"files": {"other": (None, "x")}}, 422, "missing_input"),
    ("both", {"files": {"text": (None, "a boat"), "image": PNG}}, 422, "ambiguous_input"),
    ("broken JSON", {"content": b'{"text": ', **JSON}, 400, "malformed_body"),
    ("deep JSON", {"content": b"[" * 100_000, **JSON}, 400, "malformed_body"),
    ("no UTF-8", {"content": b'{"text": "\xff"}', **JSON}, 400, "malformed_body"),
    ("much JSON", {"content": b" " * 2_000_001, **JSON}, 413, "too_large"),
]


@pytest.mark.parametrize(
    ("route", "case"),
    [
        pytest.param(route, case, id=f"{route[1:]}-{case[0]}")
        for route, cases in (("/caption", OF_PICTURES + OF_CAPTION), ("/embed", OF_PICTURES + OF_EMBED))
        for case in cases
    ],
)
def test_bad_request_is_refused_with_a_reason(
    bento: Served, description: dict[str, Any], route: str, case: tuple[str, dict[str, Any], int, str]
) -> None:
    """Each fault has its status and code, and a sentence, as problem+json that OpenAPI describes."""
    _, request, status, code = case
    answer = post(bento, route, **request)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["status"] == status
    assert answer.json()["detail"].endswith(".")
    check_schema(description, answer, route)


@pytest.mark.parametrize(
    ("method", "route", "status", "code"),
    [("GET", "/caption", 405, "method_not_allowed"), ("POST", "/nowhere", 404, "not_found")],
)
def test_wrong_address_is_refused_alike(
    bento: Served, method: str, route: str, status: int, code: str
) -> None:
    """Unknown paths and methods get problem+json too."""
    answer = httpx.request(method, bento.url + route)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


def test_huge_body_is_not_kept(bento: Served) -> None:
    """400 MB of a body without announced length are refused, and memory does not grow with them."""

    def body() -> Any:
        yield b'--x\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n\r\n'
        for _ in range(400):
            yield bytes(1_000_000)

    def peak_kb() -> int:
        status = Path(f"/proc/{bento.worker.pid}/status").read_text()
        return int(re.findall(r"VmHWM:\s+(\d+)", status)[0])

    before = peak_kb()
    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = post(bento, "/embed", content=body(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert peak_kb() - before < 50_000


def test_stalled_body_is_given_up(bento: Served) -> None:
    """A client that stops sending is told so once DAM_BODY_TIMEOUT_S have passed."""
    host, port = bento.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        head = "POST /caption HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        started = time.monotonic()
        connection.sendall(f"{head}Content-Length: 1000\r\n\r\n--x\r\n".encode())
        answer = connection.recv(4096)
    assert answer.startswith(b"HTTP/1.1 408")
    assert 1.5 < time.monotonic() - started < 10


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


def examples(description: dict[str, Any], route: str, status: int, method: str = "post") -> dict[str, Any]:
    """The examples of one answer, by name."""
    [content] = description["paths"][route][method]["responses"][str(status)]["content"].values()
    return {name: example["value"] for name, example in content["examples"].items()}


def test_examples_of_answers_are_true(bento: Served, description: dict[str, Any]) -> None:
    """What the page says of the sample picture and text is what this very service answers to them."""
    sample = httpx.get(f"{bento.url}/sample.png").content
    caption = post(bento, "/caption", **picture(sample)).json()
    assert caption == examples(description, "/caption", 200)["picture"]
    assert caption["caption"] == SAMPLE_TEXT
    shown = examples(description, "/embed", 200)
    for name, request in (("picture", picture(sample)), ("text", {"json": {"text": SAMPLE_TEXT}})):
        answer, example = post(bento, "/embed", **request).json(), shown[name]
        assert answer.pop("embedding") == pytest.approx(example.pop("embedding"), abs=1e-5)
        assert answer == example
    taken = description["paths"]["/embed"]["post"]["requestBody"]["content"]["application/json"]["example"]
    assert taken == {"text": SAMPLE_TEXT}
    assert httpx.get(f"{bento.url}/models").json() == examples(description, "/models", 200, "get")["set"]


def test_examples_of_refusals_are_true(bento: Served, description: dict[str, Any]) -> None:
    """Each refusal on the page that a client can provoke reads as it does in truth."""
    provoked: list[tuple[str, dict[str, Any], str]] = [
        ("/caption", NO_BOUNDARY, "malformed_body"),
        ("/caption", picture(PNG[: len(PNG) // 2]), "truncated"),
        ("/caption", picture(b"This is a text."), "not_an_image"),
        ("/caption", picture(oversized_png(4_000_000)), "too_many_pixels"),
        ("/caption", picture(bytes(2_000_001)), "too_large"),
        ("/caption", {"content": PNG}, "unsupported_body"),
        ("/caption", {"files": {"photo": PNG}}, "missing_image"),
        ("/embed", {"json": {}}, "missing_input"),
        ("/embed", {"content": PNG}, "unsupported_body"),
        ("/embed", {"json": {"text": ""}}, "empty_text"),
        ("/embed", {"json": {"text": "x" * 1001}}, "text_too_long"),
        ("/embed", {"content": '{"text": "\\ud800"}', **JSON}, "unreadable_text"),
        ("/embed", {"files": {"text": (None, "a boat"), "image": PNG}}, "ambiguous_input"),
    ]
    for route, request, code in provoked:
        answer = post(bento, route, **request)
        assert answer.json() == examples(description, route, answer.status_code)[code]


def test_page_works_without_the_internet(bento: Served) -> None:
    """`/` leads to a page whose scripts and styles come from the service itself."""
    page = httpx.get(bento.url, follow_redirects=True)
    assert page.url.path == "/docs"
    assert "/openapi.json" in page.text
    assert "//cdn" not in page.text
    parts = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(parts) == 3
    for part in parts:
        assert httpx.get(bento.url + part).status_code == 200
