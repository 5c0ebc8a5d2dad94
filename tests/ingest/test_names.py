"""File names: as browsers, curl and other clients send them, and as they are kept."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam.names import MAX_BYTES, safe_name
from ingest_api.names import sent_name


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('form-data; name="files"; filename="a.png"', "a.png"),
        ('form-data; name="files"; filename="日本 ü.png"', "日本 ü.png"),  # browsers, curl, httpx: raw UTF-8
        ('form-data; name="files"; filename="a%22b.png"', 'a"b.png'),  # browsers
        (r'form-data; name="files"; filename="a\"b.png"', 'a"b.png'),  # curl before 7.81
        ("form-data; name=files; filename=plain.png", "plain.png"),
        ('form-data; name="files"; filename="a;b=c.png"', "a;b=c.png"),
        ("form-data; name=\"files\"; filename*=utf-8''na%C3%AFve%20%E6%97%A5.png", "naïve 日.png"),
        ('form-data; name="f"; filename="a.png"; filename*=utf-8\'\'b.png', "a.png"),
        ("form-data; name=\"f\"; filename*=bogus''a.png", "a.png"),
        ('form-data; name="files"; filename=""', ""),
        ('form-data; name="album"', None),
        ("", None),
    ],
)
def test_sent_names(header: str, name: str | None) -> None:
    """Every client's way to write a file name is read; a part without one is no file."""
    assert sent_name(header.encode()) == name


def test_name_that_is_not_utf8() -> None:
    """A name of an old client in Latin-1 is still read."""
    assert sent_name('form-data; name="f"; filename="für.png"'.encode("latin-1")) == "für.png"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("boat.png", "boat.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\boat.png", "boat.png"),
        ("/absolute/boat.png", "boat.png"),
        ("a\x00b\r\n\x1b[31mc\x7f.png", "ab[31mc.png"),
        ("\u202egnp.exe", "gnp.exe"),
        ("  spaced  .png ", "spaced  .png"),
        ("u\u0308.png", "ü.png"),
        ("👩‍🚀.png", "👩‍🚀.png"),
        ("..", ""),
        (".", ""),
        ("", ""),
        ("folder/", ""),
        ("<script>alert(1)<", "<script>alert(1)<"),
    ],
)
def test_kept_names(sent: str, kept: str) -> None:
    """Folders, control characters and direction marks go; what people write stays."""
    assert safe_name(sent) == kept


def test_long_name_keeps_its_extension() -> None:
    """A name over the limit is cut before its extension, between characters."""
    kept = safe_name("日" * 200 + ".jpeg")
    assert len(kept.encode()) <= MAX_BYTES
    assert kept.endswith("日.jpeg")


@given(st.text(max_size=600))
def test_any_name_is_made_safe(name: str) -> None:
    """Whatever is sent, the kept name is short, printable, no path, stays the same, and fits S3 metadata."""
    kept = safe_name(name)
    assert len(kept.encode()) <= MAX_BYTES
    assert not set(kept) & set("/\\\x00\r\n")
    assert kept not in {".", ".."}
    assert safe_name(kept) == kept
    assert len(quote(kept)) <= 3 * MAX_BYTES
