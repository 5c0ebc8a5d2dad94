"""The real service, asked what it must refuse: each fault has its status, its code and a sentence."""

from __future__ import annotations

import re
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from PIL import Image

from bentos.sample import oversized_png, sample_png
from tests.bentos.asking import JSON, NO_BOUNDARY, check_schema, encoded, picture, post

if TYPE_CHECKING:
    from tests.bentos.serving import Served

PNG = sample_png()
CUT_JPEG = encoded(Image.effect_noise((200, 200), 90), "JPEG")[:5000]
BROKEN_FORM = {"content": b"no form", "headers": {"content-type": "multipart/form-data; boundary=x"}}
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
        head = (
            "POST /caption HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        )
        started = time.monotonic()
        connection.sendall(f"{head}Content-Length: 1000\r\n\r\n--x\r\n".encode())
        answer = connection.recv(4096)
    assert answer.startswith(b"HTTP/1.1 408")
    assert 1.5 < time.monotonic() - started < 10
