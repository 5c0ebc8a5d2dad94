"""Tokens on the whole pipeline, all of it real; and no secret anywhere that it should not be."""

from __future__ import annotations

import asyncio
import os
import secrets
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import aio_pika
import httpx
import pytest

from dam import routes
from dam.access import book
from dam.access.guard import COOKIE
from dam.access.tokens import Scope, make
from dam.queue.amqp.topology import JOBS
from dam.settings import DamSettings
from dam.store.opening import open_store
from tests.faults.pipeline import settings_of, wait_for
from tests.faults.services import Service, free_port
from tests.gallery.rig import draw

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.services.rabbitmq import RabbitMq
    from tests.services.radosgw import Radosgw

NOW: Final = datetime.now(UTC)
_SERVICES: Final = {
    "bento": ["bentoml", "serve", "bentos.service:DamBento", "--host", "127.0.0.1", "--port", "{port}"],
    "ingest": ["ingest_api"],
    "gallery": ["gallery_api"],
    "maintain": ["dam.cli.main", "maintain"],
    "orchestrator": ["orchestrator"],
}


@dataclass
class Stage:
    """What runs, with which secrets, and all that was answered."""

    folder: Path
    environment: dict[str, str]
    tokens: dict[str, str]
    secrets: list[str]
    services: dict[str, Service] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)

    def start(self, *names: str) -> None:
        """Start these and wait."""
        for name in names:
            self.services[name] = Service(name, _SERVICES[name], self.environment, self.folder)
            if name in {"bento", "ingest"}:
                self.environment[f"DAM_{name.upper()}_URL"] = self.services[name].url
            self.services[name].start()
        for name in names:
            self.services[name].wait_until_up()

    def ask(self, service: str, method: str, path: str, token: str = "", **options: Any) -> httpx.Response:
        """One request, as the named token's owner; what comes back is kept to be looked through."""
        headers = {"Authorization": f"Bearer {self.tokens.get(token, token)}"} if token else {}
        headers |= options.pop("headers", {})
        answer = httpx.request(
            method, self.services[service].url + path, headers=headers, timeout=60, **options
        )
        own = [value for name, value in answer.headers.multi_items() if name != "set-cookie"]
        self.answers.append("\n".join([*own, answer.text]))
        return answer


@pytest.fixture(scope="module")
def stage(radosgw: Radosgw, rabbitmq: RabbitMq, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("stage")
    user, password = f"dam-{secrets.token_hex(4)}", secrets.token_urlsafe(24)
    vhost = rabbitmq.new_vhost()
    rabbitmq.ctl("add_user", user, password)
    rabbitmq.ctl("set_permissions", "-p", vhost.rpartition("/")[2], user, ".*", ".*", ".*")
    environment = radosgw.environment(radosgw.create_bucket()) | {
        "DAM_DATA_DIR": str(folder),
        "DAM_QUEUE_URL": vhost.replace("guest:guest", f"{user}:{password}"),
        "DAM_LOG_LEVEL": "DEBUG",
        "BENTOML_HOME": str(folder / "bentoml"),
    }
    made = {
        "admin": make("ann", frozenset({Scope.ADMIN}), now=NOW),
        "reader": make("rob", frozenset({Scope.READ}), now=NOW),
        "sender": make("sue", frozenset({Scope.UPLOAD}), now=NOW, max_file_bytes=50_000),
        "infer": make("orchestrator", frozenset({Scope.INFER}), now=NOW),
    }
    bento_token, text = made["infer"]
    environment |= {"DAM_BENTO_TOKENS": f"{bento_token.id}:{bento_token.sha256}", "DAM_BENTO_TOKEN": text}
    asyncio.run(_write_book(environment, [token for token, _ in made.values() if token is not bento_token]))
    texts = {name: text for name, (_, text) in made.items()}
    hidden = [password, environment["DAM_STORE_SECRET_ACCESS_KEY"]]
    hidden += [text.split("_", 2)[2] for text in texts.values()]
    opened = Stage(folder, environment, texts, hidden)
    try:
        opened.start("bento", "ingest")
        opened.start("gallery", "maintain")
        yield opened
    finally:
        for service in opened.services.values():
            service.stop()


async def _write_book(environment: dict[str, str], tokens: list[Any]) -> None:
    store = await open_store(DamSettings.model_validate(settings_of(environment)))
    try:
        for token in tokens:
            await book.add(store, token)
    finally:
        await store.close()


def test_nobody_is_let_in_without_a_token(stage: Stage) -> None:
    """Each service's own address, on loopback too, once there are tokens; probes and pages stay open."""
    for service, method, path in (
        ("ingest", "POST", "/upload"),
        ("gallery", "GET", "/api/assets"),
        ("gallery", "POST", "/api/upload"),
        ("gallery", "GET", "/api/events"),
        ("gallery", "GET", "/api/no-such-thing"),
        ("bento", "POST", "/caption"),
        ("bento", "POST", "/embed"),
        ("bento", "GET", "/models"),
        ("bento", "GET", "/no-such-thing"),
    ):
        assert stage.ask(service, method, path).status_code == 401, (service, path)
        assert stage.ask(service, method, path, "dam_000000000000_x").json()["code"] == "bad_token"
    for service, path in (
        ("ingest", routes.READY),
        ("gallery", routes.READY),
        ("bento", routes.READY),
        ("gallery", "/"),
    ):
        assert stage.ask(service, "GET", path).status_code == 200, (service, path)


def test_a_token_does_what_its_scopes_say_and_no_more(stage: Stage) -> None:
    """A reader reads, a sender sends files up to its own limit, and only who may infer infers."""
    assert stage.ask("gallery", "GET", "/api/assets", "reader").status_code == 200
    assert stage.ask("gallery", "POST", "/api/jobs/retry", "reader").status_code == 403
    assert stage.ask("gallery", "GET", "/api/assets", "sender").status_code == 403
    assert stage.ask("ingest", "POST", "/upload", "reader", files={"files": draw()}).status_code == 403
    large = {"files": ("large.jpg", draw() + bytes(60_000))}
    assert stage.ask("ingest", "POST", "/upload", "sender", files=large).json()["code"] == "file_too_large"
    assert stage.ask("bento", "GET", "/models", "admin").status_code == 401  # of another book
    assert stage.ask("bento", "GET", "/models", "infer").status_code == 200


def test_an_asset_goes_its_way_and_changes_are_their_makers(stage: Stage) -> None:
    """Signed in by cookie: upload through the gallery, captioned by a Bento that wants a token, edited."""
    signed = stage.ask("gallery", "POST", "/api/session", json={"token": stage.tokens["admin"]})
    assert (signed.status_code, signed.json()["name"]) == (200, "ann")
    assert "httponly" in signed.headers["set-cookie"].lower()
    assert "samesite=lax" in signed.headers["set-cookie"].lower()
    cookie = {"Cookie": f"{COOKIE}={signed.cookies[COOKIE]}"}
    assert stage.ask("gallery", "GET", "/api/session", headers=cookie).json()["access"] == "token"
    files = {"files": ("boat.jpg", draw(7))}
    sent = stage.ask("gallery", "POST", "/api/upload", headers=cookie, files=files)
    assert sent.status_code == 202, sent.text
    asset = f"/api/assets/{sent.json()['files'][0]['id']}"
    stage.answers.append(asyncio.run(_peek(stage.environment["DAM_QUEUE_URL"])))
    assert sent.json()["files"][0]["id"] in stage.answers[-1]
    stage.start("orchestrator")
    assert wait_for(lambda: stage.ask("gallery", "GET", asset, "reader").json().get("status") == "ready", 60)
    forged = cookie | {"Origin": "https://evil.example"}
    edit = {"caption": "a boat"}
    assert (
        stage.ask("gallery", "PATCH", asset, headers=forged | {"If-Match": '"1"'}, json=edit).status_code
        == 403
    )
    assert (
        stage.ask("gallery", "PATCH", asset, headers=cookie | {"If-Match": '"1"'}, json=edit).status_code
        == 200
    )
    history = stage.ask("gallery", "GET", f"{asset}/history", "reader").json()["items"]
    assert [revision["actor"] for revision in history] == ["person:ann", "orchestrator"]
    found = stage.ask("gallery", "GET", "/api/search?q=boat", "reader").json()
    assert found["degraded"] is False
    out = stage.ask("gallery", "DELETE", "/api/session", headers=cookie)
    assert 'dam_token=""' in out.headers["set-cookie"]


async def _peek(url: str) -> str:
    """The first message in the queue, headers and all; it stays there."""
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        queue = await channel.get_queue(JOBS, ensure=False)
        message = await queue.get(timeout=10)
        assert message is not None
        await message.nack(requeue=True)
        return f"{message.headers} {message.body.decode()}"


@pytest.mark.parametrize(
    ("module", "variables"),
    [
        (["ingest_api"], {"DAM_INGEST_HOST": "0.0.0.0"}),  # noqa: S104 - it refuses
        (["gallery_api"], {"DAM_GALLERY_HOST": "0.0.0.0"}),  # noqa: S104 - it refuses
        (["bentoml", "serve", "bentos.service:DamBento", "--host", "0.0.0.0"], {}),  # noqa: S104 - it refuses
    ],
)
def test_nothing_listens_beyond_loopback_without_tokens(
    module: list[str], variables: dict[str, str], tmp_path: Path
) -> None:
    """With an empty bucket the start is refused in one sentence, which says what to do."""
    port = str(free_port())
    environment = {**os.environ, **variables, "DAM_DATA_DIR": str(tmp_path), "BENTOML_HOME": str(tmp_path)}
    environment |= {f"DAM_{name}_PORT": port for name in ("INGEST", "GALLERY")} | {"BENTOML_PORT": port}
    ended = subprocess.run(
        [sys.executable, "-m", *module],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 1, ended.stderr
    assert "dam token create" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_no_secret_is_told(stage: Stage) -> None:
    """Not in talkative logs, answers, metrics, messages or the bucket; nor when things are wrong."""
    wrong = {
        "ingest": {"DAM_STORE_SECRET_ACCESS_KEY": stage.secrets[1] + "x"},
        "gallery": {
            "DAM_QUEUE_URL": stage.environment["DAM_QUEUE_URL"].replace(
                stage.secrets[0], stage.secrets[0] + "x"
            )
        },
    }
    for name, variables in wrong.items():
        broken = Service(f"{name}-broken", _SERVICES[name], stage.environment | variables, stage.folder)
        broken.start()
        stage.services[f"{name}-broken"] = broken
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                answer = stage.ask(f"{name}-broken", "GET", routes.READY)
            except httpx.TransportError:
                time.sleep(0.2)
                continue
            assert "down" in answer.text
            break
    for service in ("ingest", "bento", "orchestrator"):
        assert "dam_" in stage.ask(service, "GET", routes.METRICS).text
    told = {f"{service}'s log": path.read_text() for service, path in _logs(stage)}
    told |= {f"answer {number}": text for number, text in enumerate(stage.answers)}
    told |= asyncio.run(_read_bucket(stage.environment))
    assert len(told) > 30
    leaks = [
        (where, secret[:4]) for where, text in told.items() for secret in stage.secrets if secret in text
    ]
    assert leaks == []


def _logs(stage: Stage) -> list[tuple[str, Path]]:
    return [(name, service.log) for name, service in stage.services.items()]


async def _read_bucket(environment: dict[str, str]) -> dict[str, str]:
    store = await open_store(DamSettings.model_validate(settings_of(environment)))
    try:
        infos = [info async for info in store.list("")]
        return {info.key: (await store.get(info.key)).data.decode("latin-1") for info in infos}
    finally:
        await store.close()
