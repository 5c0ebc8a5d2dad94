"""The guard: who is let in, as whom, and what everybody else is told."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from dam.access import guard as guarding
from dam.access import visitors
from dam.access.guard import Guard, Policy
from dam.access.shares import Shares
from dam.access.tokens import Scope, Token, make
from dam.errors import AccessError, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = datetime.now(UTC)
OTHER_SITE = {"sec-fetch-site": "cross-site", "origin": "https://evil.example"}


class Source:
    """Tokens in memory, or the error that reading them makes."""

    def __init__(self, *tokens: Token) -> None:
        self.known: Mapping[str, Token] = {token.id: token for token in tokens}
        self.error: Exception | None = None

    async def tokens(self) -> Mapping[str, Token]:
        """See `TokenSource`."""
        if self.error:
            raise self.error
        return self.known


class App:
    """Answers who asked; `gate` holds its answers back."""

    def __init__(self) -> None:
        self.actors: list[str] = []
        self.came: asyncio.Queue[str] = asyncio.Queue()
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request."""
        del scope, receive
        self.actors.append(visitors.current().actor)
        self.came.put_nowait(self.actors[-1])
        await self.gate.wait()
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]}
        )
        await send({"type": "http.response.body", "body": b"in"})


def needs(method: str, path: str) -> Scope | None:
    if path == "/open":
        return None
    return Scope.READ if method == "GET" else Scope.EDIT


def client(source: Source, app: App | None = None, **options: Any) -> httpx.AsyncClient:
    shares = options.pop("shares", Shares(64, 0))
    host = options.pop("host", "127.0.0.1")
    policy = Policy(needs, takes_cookie=True, allowed_origins=frozenset({"https://mine.example"}))
    guarded = Guard(app or App(), policy, source, shares)
    transport = httpx.ASGITransport(guarded)
    return httpx.AsyncClient(transport=transport, base_url=f"http://{host}", **options)


def token(*scopes: Scope, name: str = "ann", **limits: Any) -> tuple[Token, dict[str, str]]:
    made, text = make(name, frozenset(scopes or {Scope.ADMIN}), now=NOW, **limits)
    return made, {"Authorization": f"Bearer {text}"}


async def test_without_tokens_this_machine_may_do_everything() -> None:
    """Loopback, by its own name: nothing is asked for, and changes are nobody's in particular."""
    app = App()
    async with client(Source(), app) as open_client:
        assert (await open_client.get("/assets")).status_code == 200
        assert (await open_client.delete("/assets")).status_code == 200
    assert app.actors == ["person:anonymous"] * 2


@pytest.mark.parametrize("host", ["gallery.example.com", "192.168.1.5", "[fd00::1]"])
async def test_without_tokens_nobody_comes_from_elsewhere(host: str) -> None:
    """A connection that came in beyond loopback is refused, and told what to do."""
    async with client(Source(), host=host) as stranger:
        answer = await stranger.get("/assets")
    assert (answer.status_code, answer.json()["code"]) == (401, "no_token")
    assert "dam token create" in answer.json()["detail"]


async def test_without_tokens_a_foreign_name_for_loopback_reads_nothing() -> None:
    """DNS rebinding: a page whose name was pointed at 127.0.0.1 is not answered."""
    async with client(Source()) as browser:
        answer = await browser.get("/assets", headers={"host": "evil.example:8000"})
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_host")


async def test_other_sites_pages_change_nothing() -> None:
    """Not where access is open, and not with the cookie that a browser adds; a bearer is from no page."""
    ann, headers = token()
    cookie = {"cookie": f"{guarding.COOKIE}={headers['Authorization'].removeprefix('Bearer ')}"}
    async with client(Source()) as browser:
        assert (await browser.post("/assets", headers=OTHER_SITE)).json()["code"] == "foreign_origin"
    async with client(Source(ann)) as browser:
        assert (await browser.post("/assets", headers=OTHER_SITE | cookie)).status_code == 403
        assert (await browser.get("/assets", headers=OTHER_SITE | cookie)).status_code == 200
        assert (await browser.post("/assets", headers=OTHER_SITE | headers)).status_code == 200


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"sec-fetch-site": "same-origin", "origin": "http://127.0.0.1"}, 200),
        ({"sec-fetch-site": "same-site", "origin": "http://other.127.0.0.1"}, 403),
        ({"sec-fetch-site": "none"}, 200),
        ({"origin": "http://127.0.0.1"}, 200),
        ({"origin": "http://127.0.0.1:81"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "https://mine.example", "sec-fetch-site": "cross-site"}, 200),
        ({}, 200),
    ],
)
async def test_where_a_page_is_from_is_read_as_browsers_say_it(said: dict[str, str], status: int) -> None:
    """New browsers say `Sec-Fetch-Site`, old ones `Origin`; programs neither; an origin may be allowed."""
    async with client(Source()) as browser:
        assert (await browser.post("/assets", headers=said)).status_code == status


async def test_a_token_opens_what_its_scopes_say() -> None:
    """`read` reads and does not edit; `admin` does all; changes are the token's owner's."""
    ann, of_ann = token(Scope.READ)
    bob, of_bob = token(Scope.ADMIN, name="bob")
    app = App()
    async with client(Source(ann, bob), app, host="gallery.example.com") as remote:
        assert (await remote.get("/assets", headers=of_ann)).status_code == 200
        refused = await remote.delete("/assets", headers=of_ann)
        assert (await remote.delete("/assets", headers=of_bob)).status_code == 200
    assert (refused.status_code, refused.json()["code"]) == (403, "missing_scope")
    assert "`edit`" in refused.json()["detail"]
    assert app.actors == ["person:ann", "person:bob"]


async def test_what_is_no_token_is_refused_alike() -> None:
    """Nothing, another's, a changed, a revoked and an expired one: 401, and the last four look the same."""
    ann, headers = token()
    gone, of_gone = token()
    old, of_old = token(expires_at=NOW - timedelta(seconds=1))
    changed = {
        "Authorization": headers["Authorization"][:-1] + ("A" if headers["Authorization"][-1] != "A" else "B")
    }
    cases = [of_gone, of_old, changed, {"Authorization": "Bearer x"}, {"Authorization": "Bearer "}]
    del gone
    async with client(Source(ann, old)) as remote:
        nothing = await remote.get("/assets")
        answers = [await remote.get("/assets", headers=case) for case in cases]
        basic = await remote.get("/assets", headers={"Authorization": "Basic YTpi"})
    assert nothing.json()["code"] == basic.json()["code"] == "no_token"
    assert {answer.text for answer in answers} == {answers[0].text}
    assert all(
        answer.status_code == 401 and "Bearer" in answer.headers["www-authenticate"] for answer in answers
    )


async def test_a_cookie_works_as_a_bearer_does() -> None:
    """A browser that signed in; a cookie that is none of ours is nothing."""
    ann, headers = token()
    text = headers["Authorization"].removeprefix("Bearer ")
    async with client(Source(ann)) as browser:
        good = await browser.get("/assets", headers={"cookie": f"theme=dark; {guarding.COOKIE}={text}"})
        bad = await browser.get("/assets", headers={"cookie": 'a="b\\"; ;;=;'})
    assert (good.status_code, bad.json()["code"]) == (200, "no_token")


@pytest.mark.parametrize("error", [AccessError("The book is broken."), StoreUnavailableError("It is down.")])
async def test_where_tokens_cannot_be_known_nobody_is_let_in(error: Exception) -> None:
    """Not even on loopback: 503 with the reason; what is open to all stays open."""
    source = Source()
    source.error = error
    async with client(source) as local:
        answer = await local.get("/assets")
        assert (await local.get("/open")).status_code == 200
    assert (answer.status_code, answer.json()["code"]) == (503, "access_unavailable")
    assert str(error) in answer.json()["detail"]
    assert answer.headers["retry-after"]


async def test_one_token_has_no_more_than_its_share_at_once() -> None:
    """The third request of two gets 429 while another token is served; afterwards it may come again."""
    ann, of_ann = token()
    bob, of_bob = token(name="bob")
    app = App()
    app.gate.clear()
    async with client(Source(ann, bob), app, shares=Shares(2, 0)) as remote:
        held = [asyncio.create_task(remote.get("/assets", headers=of_ann)) for _ in range(2)]
        for _ in held:
            await app.came.get()
        refused = await remote.get("/assets", headers=of_ann)
        other = asyncio.create_task(remote.get("/assets", headers=of_bob))
        assert await app.came.get() == "person:bob"
        app.gate.set()
        assert [(await answer).status_code for answer in (*held, other)] == [200] * 3
        assert (await remote.get("/assets", headers=of_ann)).status_code == 200
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
    assert refused.headers["retry-after"] == "1"


async def test_one_token_has_so_many_requests_a_minute() -> None:
    """The service's limit, or the token's own; then 429 says when to come again."""
    ann, of_ann = token()
    slow, of_slow = token(requests_per_minute=2)
    async with client(Source(ann, slow), shares=Shares(64, 5)) as remote:
        of_service = [(await remote.get("/assets", headers=of_ann)).status_code for _ in range(6)]
        own = [await remote.get("/assets", headers=of_slow) for _ in range(3)]
    assert of_service == [200] * 5 + [429]
    assert [answer.status_code for answer in own] == [200, 200, 429]
    assert 1 <= int(own[-1].headers["retry-after"]) <= 120


async def test_a_stream_ends_with_its_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events are sent for as long as the token holds; after it is revoked the stream just ends."""
    monkeypatch.setattr(guarding, "_RECHECK_S", 0.0)
    ann, headers = token()
    source = Source(ann)

    async def stream(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for number in range(100):
            if number == 2:
                source.known = {}
            await asyncio.sleep(0)
            await send({"type": "http.response.body", "body": b"event\n", "more_body": True})

    guarded = Guard(stream, Policy(needs), source, Shares(64, 0))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(guarded), base_url="http://localhost"
    ) as remote:
        answer = await remote.get("/events", headers=headers)
    assert answer.text == "event\n" * 2


async def test_every_answer_has_the_usual_headers() -> None:
    """Of pages and of refusals; HSTS where the proxy in front says that it was HTTPS."""
    async with client(Source()) as local:
        page = await local.get("/open")
        refused = await local.get("/assets", headers={"host": "evil", "x-forwarded-proto": "https"})
    for answer in (page, refused):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert refused.headers["content-security-policy"].startswith("default-src 'none'")
    assert "strict-transport-security" in refused.headers
    assert "strict-transport-security" not in page.headers
