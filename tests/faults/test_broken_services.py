"""Broker, bucket and Bento stop, refuse, hang and lie: the pipeline waits, and loses nothing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.outside import Count
    from tests.faults.pipeline import Form, Pipeline
    from tests.faults.wires import Weather
    from tests.services.rabbitmq import RabbitMq

_SHORT_S: Final = 3.0
_FULL_S: Final = 20.0


def _stop(rabbitmq: RabbitMq, harm_s: float) -> None:
    rabbitmq.stop_app()
    time.sleep(harm_s)
    rabbitmq.start_app()


def _restart(rabbitmq: RabbitMq, _harm_s: float) -> None:
    rabbitmq.stop_app()
    rabbitmq.start_app()


def _kill(rabbitmq: RabbitMq, _harm_s: float) -> None:
    rabbitmq.kill()
    rabbitmq.restart()


@pytest.fixture
def harm_s(form: Form) -> float:
    """How long a harm lasts, in seconds."""
    return _SHORT_S if form.times == 1 else _FULL_S


@pytest.mark.parametrize("harm", [_stop, _restart, _kill], ids=["stopped", "restarted", "killed"])
def test_broker(  # noqa: PLR0913 - the pipeline, what is done to it, how long, and the table
    harm: Callable[[RabbitMq, float], None],
    *,
    pipeline: Pipeline,
    rabbitmq: RabbitMq,
    form: Form,
    harm_s: float,
    expect: Callable[[Count], None],
) -> None:
    """Uploads are refused for now while it is away; afterwards all goes on by itself."""
    with pipeline.uploading(form.pictures, form.per_second(harm_s)) as uploads:
        time.sleep(1)
        harm(rabbitmq, harm_s)
    expect(pipeline.settle(uploads))


@pytest.mark.parametrize("weather", ["refusing", "slow", "cut"])
def test_bucket(
    weather: Weather, pipeline: Pipeline, form: Form, harm_s: float, expect: Callable[[Count], None]
) -> None:
    """503, five seconds for each answer, or bodies cut off: for a while, then all goes on by itself."""
    wire = pipeline.store_wire
    assert wire is not None
    met = wire.met
    with pipeline.uploading(form.pictures, form.per_second(harm_s)) as uploads:
        time.sleep(1)
        wire.weather = weather
        time.sleep(harm_s)
        wire.weather = "fine"
    expect(pipeline.settle(uploads))
    assert wire.met > met


@pytest.mark.parametrize("weather", ["refusing", "hanging", "nonsense"])
def test_bento(
    weather: Weather, pipeline: Pipeline, form: Form, harm_s: float, expect: Callable[[Count], None]
) -> None:
    """503, no answer, or an answer that is none: the jobs wait or are tried again."""
    wire = pipeline.bento_wire
    assert wire is not None
    met = wire.met
    with pipeline.uploading(form.pictures, form.per_second(harm_s)) as uploads:
        time.sleep(1)
        wire.weather = weather
        time.sleep(harm_s)
        wire.weather = "fine"
    expect(pipeline.settle(uploads))
    assert wire.met > met
