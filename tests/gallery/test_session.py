"""Signing in, other origins, and the pages' own headers, over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pytest

from dam.access import book
from dam.access.guard import COOKIE
from dam.access.tokens import Scope, make
from gallery_api.frontend import make_policy
from gallery_api.settings import GallerySettings
from tests.gallery.rig import open_rig

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from tests.gallery.rig import Rig

MINE: Final = "https://gallery.example.com"


async def add_token(rig: Rig, *scopes: Scope) -> str:
    """A token in the bucket; what the gallery knew of them is forgotten."""
    token, text = make("ann", frozenset(scopes), now=datetime.now(UTC))
    await book.add(rig.store, token)
    return text


def sign_in(client: httpx.AsyncClient, text: str) -> None:
    client.headers["cookie"] = f"{COOKIE}={text}"


async def test_without_tokens_the_session_says_that_all_is_open(rig: Rig) -> None:
    """The pages then ask nobody to sign in."""
    session = await rig.get("/session")
    assert (session["access"], session["name"]) == ("open", None)
    assert set(session["scopes"]) == set(Scope)


async def test_signing_in_and_out(tmp_path: Path) -> None:
    """A wrong token is 401, a right one becomes a cookie, secure over HTTPS; signing out takes it back."""
    settings = GallerySettings(data_dir=tmp_path, frontend_dir=tmp_path / "none")
    async with open_rig(settings) as first:
        text = await add_token(first, Scope.READ)
    async with open_rig(settings) as rig:
        assert (await rig.get("/session"))["access"] == "none"
        wrong = await rig.client.post("/session", json={"token": text[:-1]})
        assert (wrong.status_code, wrong.json()["code"]) == (401, "bad_token")
        assert (await rig.client.post("/session", json={"token": "x" * 300})).status_code == 422
        plain = await rig.client.post("/session", json={"token": f" {text}\n"})
        https = await rig.client.post(
            "/session", json={"token": text}, headers={"x-forwarded-proto": "https"}
        )
        assert plain.json()["scopes"] == ["read"]
        attributes = {part.strip().lower() for part in plain.headers["set-cookie"].split(";")}
        assert {"httponly", "samesite=lax", "path=/api"} <= attributes
        assert "secure" not in attributes
        assert "; Secure" in https.headers["set-cookie"]
        sign_in(rig.client, text)
        assert (await rig.get("/session"))["name"] == "ann"
        assert (await rig.get("/assets"))["items"] == []
        gone = await rig.client.delete("/session")
        assert f'{COOKIE}=""' in gone.headers["set-cookie"]


async def test_batches_and_reverts_are_their_makers(tmp_path: Path) -> None:
    """Every way to change something records who did."""
    settings = GallerySettings(data_dir=tmp_path, frontend_dir=tmp_path / "none")
    async with open_rig(settings) as first:
        row = await first.add("a red boat")
        text = await add_token(first, Scope.READ, Scope.EDIT)
    async with open_rig(settings) as rig:
        sign_in(rig.client, text)
        await rig.client.post("/assets/batch", json={"ids": [row.id], "set": {"caption": "a blue boat"}})
        await rig.client.post(f"/assets/{row.id}/revert", json={"revision": 1}, headers={"If-Match": '"2"'})
        await rig.client.delete(f"/assets/{row.id}")
        history = (await rig.get(f"/assets/{row.id}/history"))["items"]
        asset = await rig.get(f"/assets/{row.id}")
    assert [revision["actor"] for revision in history] == ["person:ann"] * 3 + ["orchestrator"]
    assert asset["caption_by"] == "blip@1"


async def test_another_origin_is_answered_where_it_is_named(tmp_path: Path) -> None:
    """CORS is closed unless configured; then that origin alone, with the cookie."""
    closed = GallerySettings(data_dir=tmp_path, frontend_dir=tmp_path / "none")
    asks = {"origin": MINE, "access-control-request-method": "PATCH"}
    async with open_rig(closed) as rig:
        answer = await rig.client.options("/assets/x", headers=asks)
        assert "access-control-allow-origin" not in answer.headers
    opened = closed.model_copy(update={"allowed_origins": f" {MINE}/ , https://other.example"})
    async with open_rig(opened) as rig:
        allowed = await rig.client.options("/assets/x", headers=asks)
        foreign = await rig.client.options("/assets/x", headers=asks | {"origin": "https://evil.example"})
        read = await rig.client.get("/assets", headers={"origin": MINE})
    assert allowed.headers["access-control-allow-origin"] == MINE
    assert read.headers["access-control-allow-credentials"] == "true"
    assert "access-control-allow-origin" not in foreign.headers


async def test_pages_may_load_from_themselves_and_the_bucket(tmp_path: Path) -> None:
    """The built page's policy, and the bucket's origin in it where pictures come from signed URLs."""
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "index.html").write_text("<title>Gallery</title>")
    async with open_rig(GallerySettings(data_dir=tmp_path, frontend_dir=pages)) as rig:
        page = await rig.client.get(str(rig.client.base_url.copy_with(path="/jobs")))
    assert page.headers["content-security-policy"] == make_policy(None)
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    ("url", "endpoint", "origin"),
    [
        ("file:///bucket", None, None),
        ("s3://b", "https://acc.r2.cloudflarestorage.com/", "https://acc.r2.cloudflarestorage.com"),
        ("s3://b", "http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("s3://b", None, "https://*.amazonaws.com"),
    ],
)
def test_where_pictures_come_from(url: str, endpoint: str | None, origin: str | None) -> None:
    """A folder signs nothing; an S3 server's own origin; Amazon's buckets have hosts of their own."""
    settings = GallerySettings(store_url=url, store_endpoint_url=endpoint)
    assert settings.bucket_origin == origin
    assert f"img-src 'self' data: blob:{f' {origin}' if origin else ''};" in make_policy(origin)
