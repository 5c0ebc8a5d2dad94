"""What can be made again is deleted while pictures come in: queue, search index, snapshot."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx
import pyarrow.parquet as pq
from botocore.exceptions import ClientError

from dam import keys
from gallery_api.prefix import API
from tests.faults.pipeline import SETTLE_S, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.outside import Count
    from tests.faults.pipeline import Form, Pipeline
    from tests.services.rabbitmq import RabbitMq

_UPLOADS_S: Final = 4.0


def _delete_queues(rabbitmq: RabbitMq, vhost_url: str) -> int:
    """Every queue of the vhost, with what is in it; how many there were."""
    vhost = urlsplit(vhost_url).path.removeprefix("/")
    names = [line for line in rabbitmq.ctl("list_queues", "-p", vhost, "name").split() if line != "name"]
    for name in names:
        rabbitmq.ctl("delete_queue", "-p", vhost, name)
    return len(names)


def test_deleted_queue(
    pipeline: Pipeline, rabbitmq: RabbitMq, vhost: str, form: Form, expect: Callable[[Count], None]
) -> None:
    """Every queue is deleted; after one `dam reconcile` every accepted upload ends."""
    with pipeline.uploading(form.pictures, form.per_second(_UPLOADS_S * form.times)) as uploads:
        time.sleep(1)
        assert _delete_queues(rabbitmq, vhost)
    done = subprocess.run(
        [sys.executable, "-m", "dam.cli.main", "reconcile", "--min-age", "0"],
        env={**os.environ, **pipeline.environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    expect(pipeline.settle(uploads))


def test_deleted_index(pipeline: Pipeline, form: Form, expect: Callable[[Count], None]) -> None:
    """Everything below `search/` goes; after the next start of maintenance a search finds the pictures."""
    with pipeline.uploading(form.pictures, form.per_second(_UPLOADS_S * form.times)) as uploads:
        time.sleep(1)
        for key in list(pipeline.bucket.list(f"{keys.SEARCH}/")):
            pipeline.bucket.delete(key)
    count = pipeline.settle(uploads)
    maintain = pipeline.services["maintain"]
    maintain.stop()
    maintain.start()
    assert wait_for(lambda: _has_state(pipeline), SETTLE_S)
    assert wait_for(lambda: _finds(pipeline), SETTLE_S)
    expect(count)


def _has_state(pipeline: Pipeline) -> bool:
    try:
        return bool(pipeline.bucket.get(keys.SEARCH_STATE))
    except ClientError:
        return False


def _finds(pipeline: Pipeline) -> bool:
    answer = httpx.get(f"{pipeline.services['gallery'].url}{API}/search", params={"q": "a"}, timeout=20)
    return answer.is_success and bool(answer.json()["items"])


def test_deleted_snapshot(pipeline: Pipeline, form: Form, expect: Callable[[Count], None]) -> None:
    """`images.parquet` goes; a new one with every picture is there soon, by itself."""
    with pipeline.uploading(form.pictures, form.per_second(_UPLOADS_S * form.times)) as uploads:
        time.sleep(1)
        wait_for(lambda: keys.SNAPSHOT in pipeline.bucket.list(keys.SNAPSHOT), 30)
        pipeline.bucket.delete(keys.SNAPSHOT)
    expect(pipeline.settle(uploads))

    def all_there() -> bool:
        if keys.SNAPSHOT not in pipeline.bucket.list(keys.SNAPSHOT):
            return False
        table = pq.read_table(io.BytesIO(pipeline.bucket.get(keys.SNAPSHOT)), columns=["id"])
        return set(uploads.accepted) <= set(table["id"].to_pylist())

    assert wait_for(all_there, SETTLE_S)
