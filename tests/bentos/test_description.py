"""The service's own description: its examples are true, and its page works without the internet."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from bentos.sample import SAMPLE_TEXT, oversized_png, sample_png
from tests.bentos.asking import JSON, NO_BOUNDARY, picture, post

if TYPE_CHECKING:
    from tests.bentos.serving import Served

PNG = sample_png()


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
