"""The form of the fault tests, the pipeline on real services, and the table that they print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from dam.settings import DamSettings
from dam.store.delta import delta_location
from tests.faults.outside import S3Bucket
from tests.faults.pipeline import Form, Pipeline, settings_of
from tests.faults.services import Service
from tests.faults.wires import lay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.faults.outside import Count
    from tests.services.rabbitmq import RabbitMq
    from tests.services.radosgw import Radosgw

_TABLE: Final = pytest.StashKey[list[str]]()
_HEAD: Final = "fault | accepted | enriched | failed_with_reason | lost | duplicates | unreadable"


@pytest.fixture(scope="package")
def form(pytestconfig: pytest.Config) -> Form:
    full = pytestconfig.getoption("--faults") == "full"
    return Form(300, 10, 5.0) if full else Form(30, 1, 0.1)


@pytest.fixture(scope="package")
def bento(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("bento")
    settings = {"BENTOML_HOME": str(folder / "bentoml"), "BENTOML_DO_NOT_TRACK": "true"}
    serve = ["bentoml", "serve", "bentos.service:DamBento", "--host", "127.0.0.1", "--port", "{port}"]
    service = Service("bento", serve, settings, folder)
    service.start()
    yield service
    service.stop()


@pytest.fixture(scope="package")
def vhost(rabbitmq: RabbitMq) -> str:
    return rabbitmq.new_vhost()


@pytest.fixture(scope="package")
def pipeline(
    radosgw: Radosgw, vhost: str, bento: Service, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pipeline]:
    name = radosgw.create_bucket()
    direct = radosgw.environment(name)
    _, options = delta_location(DamSettings.model_validate(settings_of(direct)))
    bucket = S3Bucket(radosgw._client, name, options)
    for store_wire in lay(radosgw.endpoint):
        for bento_wire in lay(bento.url):
            environment = {
                **direct,
                "DAM_STORE_ENDPOINT_URL": store_wire.endpoint,
                "DAM_QUEUE_URL": vhost,
                "DAM_BENTO_URL": bento_wire.endpoint,
            }
            folder: Path = tmp_path_factory.mktemp("pipeline")
            running = Pipeline(folder, environment, bucket, bento, bento_wire, store_wire)
            try:
                running.start()
                yield running
            finally:
                running.stop()


@pytest.fixture
def expect(request: pytest.FixtureRequest) -> Callable[[Count], None]:
    """Put a count into the printed table, and hold it against what is promised."""

    def check(count: Count) -> None:
        name = request.node.name.removeprefix("test_")
        request.config.stash.setdefault(_TABLE, []).append(f"{name} | {count}")
        assert (count.lost, count.duplicates, count.unreadable) == (0, 0, 0), count
        assert count.enriched + count.failed_with_reason == count.accepted

    return check


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The table of this run."""
    if table := config.stash.get(_TABLE, None):
        terminalreporter.section("faults")
        for line in (_HEAD, *table):
            terminalreporter.line(line)
