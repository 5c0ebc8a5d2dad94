"""`POST /upload` with everything up: what is answered, stored and queued."""

from __future__ import annotations

import asyncio
import hashlib
from urllib.parse import unquote

import pytest

from dam.ids import is_id
from tests.ingest.pictures import picture
from tests.ingest.serving import Service, running


async def test_one_file_is_stored_claimed_and_queued(service: Service) -> None:
    """A picture ends up in the bucket byte for byte, with a claim and one job that describe it."""
    data = picture(1)
    response = await service.upload(("boat.png", data))
    assert response.status_code == 202
    [file] = response.json()["files"]
    sha256 = hashlib.sha256(data).hexdigest()
    assert is_id(file["id"])
    assert file == {
        "id": file["id"],
        "filename": "boat.png",
        "r2_key": f"assets/{file['id']}.png",
        "mime_type": "image/png",
        "size_bytes": len(data),
        "sha256": sha256,
        "status": "pending",
    }
    assert service.keys() == [file["r2_key"], f"hashes/{sha256}"]
    original = service.store.objects[file["r2_key"]]
    assert original.data == data
    assert original.info.content_type == "image/png"
    assert original.info.metadata["filename"] == "boat.png"
    [job] = service.jobs()
    assert (job.asset_id, job.key, job.sha256) == (file["id"], file["r2_key"], sha256)
    assert (job.filename, job.mime_type, job.size_bytes) == ("boat.png", "image/png", len(data))
    assert job.received_at.isoformat() == original.info.metadata["received-at"]
    assert (job.expected_revision, job.actor) == (0, original.info.metadata["actor"])


async def test_one_bad_file_does_not_sink_the_others(service: Service) -> None:
    """Many files with bad ones among them: each has its entry in the order sent, the good ones are taken."""
    files = [(f"{shade}.png", picture(shade)) for shade in range(8)]
    files[2] = ("notes.txt", b"Only words.")
    files[4] = ("empty.png", b"")
    files[6] = ("huge.png", picture(6) + bytes(200_000))
    response = await service.upload(*files)
    assert response.status_code == 202
    entries = response.json()["files"]
    assert [entry["filename"] for entry in entries] == [name for name, _ in files]
    codes = [entry.get("error", {}).get("code") for entry in entries]
    assert codes == [None, None, "unsupported_type", None, "empty_file", None, "file_too_large", None]
    assert [entry["error"]["status"] for entry in entries if "error" in entry] == [415, 422, 413]
    assert len(service.keys("assets/")) == len(service.keys("hashes/")) == len(service.jobs()) == 5


@pytest.mark.parametrize("name", ["photo.jpg", "photo.exe", "photo"])
async def test_type_comes_from_content(service: Service, name: str) -> None:
    """A WebP is a WebP whatever its name or declared type says."""
    file = (name, picture(1, "WEBP"), "text/html")
    response = await service.client.post("/upload", files={"files": file})
    [entry] = response.json()["files"]
    assert (entry["mime_type"], entry["filename"]) == ("image/webp", name)
    assert entry["r2_key"].endswith(".webp")


@pytest.mark.parametrize(
    ("files", "status", "code"),
    [
        ([("a.png", b"not a picture")], 415, "unsupported_type"),
        ([("a.png", b"")], 422, "empty_file"),
        ([("a.png", picture(1) + bytes(100_000))], 413, "file_too_large"),
        ([("a.png", b"words"), ("b.png", b"")], 415, "unsupported_type"),
    ],
)
async def test_refused_alone_is_a_problem(
    service: Service, files: list[tuple[str, bytes]], status: int, code: str
) -> None:
    """Where no file was taken, the answer is the error itself, and nothing is left in the bucket."""
    response = await service.upload(*files)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert (problem["status"], problem["code"]) == (status, code)
    assert "a.png" in problem["detail"]
    assert [file["filename"] for file in problem["files"]] == [name for name, _ in files]
    assert service.keys() == []
    assert service.jobs() == []


async def test_any_field_name_is_taken_and_fields_are_ignored(service: Service) -> None:
    """A part with a file name is a file; other fields of the form are passed over."""
    response = await service.client.post(
        "/upload", data={"album": "x" * 70_000}, files={"photo": ("a.png", picture(1))}
    )
    assert [file["filename"] for file in response.json()["files"]] == ["a.png"]


async def test_form_without_a_file(service: Service) -> None:
    """Neither a form of fields alone nor the empty part of a browser's unused file input is an upload."""
    fields = await service.client.post("/upload", files={"album": (None, "summer")})
    assert (fields.status_code, fields.json()["code"]) == (422, "no_file")
    body = b'--b\r\ncontent-disposition: form-data; name="files"; filename=""\r\n\r\n\r\n--b--\r\n'
    unused = await service.client.post(
        "/upload", content=body, headers={"content-type": "multipart/form-data; boundary=b"}
    )
    assert (unused.status_code, unused.json()["code"]) == (422, "no_file")


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data", "text/plain", ""])
async def test_request_that_is_no_form(service: Service, content_type: str) -> None:
    """Anything but multipart/form-data with a boundary is 415 and says what to send."""
    response = await service.client.post("/upload", content=b"{}", headers={"content-type": content_type})
    assert (response.status_code, response.json()["code"]) == (415, "not_multipart")
    assert "curl -F" in response.json()["detail"]


async def test_too_many_files(service: Service) -> None:
    """Files over the limit of one request are refused once; those before it are taken."""
    response = await service.upload(*((f"{shade}.png", picture(shade)) for shade in range(23)))
    assert response.status_code == 202
    entries = response.json()["files"]
    assert len(entries) == 21
    assert entries[-1]["error"]["code"] == "too_many_files"
    assert len(service.keys("assets/")) == 20


async def test_request_over_its_limit_is_refused_at_once() -> None:
    """A declared length over the limit is refused before the body is read."""
    async with running(max_request_bytes=1000) as service:
        response = await service.upload(("a.png", bytes(5_000_000)))
        assert (response.status_code, response.json()["code"]) == (413, "request_too_large")
        assert service.keys() == []


async def test_chunked_request_over_its_limit() -> None:
    """A body without a declared length is cut off at the limit, and leaves nothing."""
    head = b'--b\r\ncontent-disposition: form-data; name="files"; filename="a.png"\r\n\r\n' + picture(1)

    async with running(max_request_bytes=300_000) as service:
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        writer.write(
            b"POST /upload HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n"
            b"content-type: multipart/form-data; boundary=b\r\n\r\n"
        )
        writer.write(b"%x\r\n%b\r\n" % (len(head), head))
        for _ in range(10):
            writer.write(b"%x\r\n%b\r\n" % (50_000, bytes(50_000)))
        answer = await reader.readuntil(b"}]}")
        writer.close()
        assert b"413 " in answer
        assert b"request_too_large" in answer
        assert service.keys() == []


async def test_odd_name_is_kept_percent_encoded(service: Service) -> None:
    """A name in any script comes back as sent and fits the store's ASCII metadata."""
    name = "Übung „日本“ 100% ☂.png"
    [file] = (await service.upload((name, picture(1)))).json()["files"]
    assert file["filename"] == name
    assert unquote(service.store.objects[file["r2_key"]].info.metadata["filename"]) == name


async def test_nameless_picture_gets_a_name(service: Service) -> None:
    """A name of which nothing safe is left is replaced."""
    [file] = (await service.upload(("../..", picture(1)))).json()["files"]
    assert file["filename"] == "unnamed.png"


async def test_unknown_path_is_a_problem(service: Service) -> None:
    """404 and 405 have the one shape of errors, too."""
    for response in (await service.client.get("/nothing"), await service.client.get("/upload")):
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["status"] == response.status_code


async def test_metrics_count_outcomes(service: Service) -> None:
    """Files by outcome and stored bytes are counted."""
    data = picture(1)
    await service.upload(("a.png", data), ("b.png", data), ("c.txt", b"words"))
    text = (await service.client.get("/metrics")).text
    for outcome in ("accepted", "duplicate", "unsupported_type"):
        assert f'dam_uploads_total{{outcome="{outcome}"}} 1.0' in text
    assert f"dam_upload_bytes_total {float(len(data))}" in text
    assert "dam_upload_seconds_count 3.0" in text


async def test_openapi_examples_are_true(service: Service) -> None:
    """The documented request is a multipart array of files, and the documented answers have real fields."""
    document = (await service.client.get("/openapi.json")).json()
    upload = document["paths"]["/upload"]["post"]
    form = upload["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["properties"]["files"]["items"] == {"type": "string", "format": "binary"}
    assert {"202", "408", "413", "415", "422", "503"} <= set(upload["responses"])
    data = picture(1)
    real = (await service.upload(("a.png", data), ("b.png", data), ("c.txt", b"words"))).json()["files"]
    examples = upload["responses"]["202"]["content"]["application/json"]["examples"]
    shown = [file for example in examples.values() for file in example["value"]["files"]]
    assert {frozenset(file) for file in shown} == {frozenset(file) for file in real}
