"""Log files read while they grow: whole lines, each once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dam.local.tails import Tail

if TYPE_CHECKING:
    from pathlib import Path


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def test_only_what_comes_after_it_was_opened(tmp_path: Path) -> None:
    """What an earlier run left is not shown again."""
    log = tmp_path / "a.log"
    append(log, b"old\n")
    tail = Tail(log)
    append(log, b"new\n")
    assert tail.read() == ["new"]
    assert tail.read() == []


def test_a_file_that_is_not_there_yet(tmp_path: Path) -> None:
    """It has no lines, and is read from its beginning once it is there."""
    tail = Tail(tmp_path / "a.log")
    assert tail.read() == []
    append(tmp_path / "a.log", b"first\n")
    assert tail.read() == ["first"]


def test_a_line_is_whole_or_waits(tmp_path: Path) -> None:
    """Half a line, even half a character, waits for the rest; at the end it is shown as it is."""
    log = tmp_path / "a.log"
    tail = Tail(log)
    word = "grün".encode()
    append(log, b"one\n" + word[:3])
    assert tail.read() == ["one"]
    append(log, word[3:] + b"\nlast")
    assert tail.read() == ["grün"]
    assert tail.finish() == ["last"]


def test_a_file_that_was_emptied(tmp_path: Path) -> None:
    """It is read from its beginning."""
    log = tmp_path / "a.log"
    append(log, b"a long line of the past\n")
    tail = Tail(log)
    log.write_bytes(b"new\n")
    assert tail.read() == ["new"]


def test_a_line_without_end(tmp_path: Path) -> None:
    """It is shown cut, and does not fill the memory."""
    log = tmp_path / "a.log"
    tail = Tail(log)
    for _ in range(8):
        append(log, b"x" * 300_000)
        for line in tail.read():
            assert 0 < len(line) <= 16 << 10
    append(log, b"\nnext\n")
    assert tail.finish()[-1] == "next"


def test_a_progress_bar_is_shown_as_it_was_last(tmp_path: Path) -> None:
    """Carriage returns do not write over the names of services."""
    log = tmp_path / "a.log"
    tail = Tail(log)
    append(log, b"10 %\r50 %\r100 %\r\n")
    assert tail.read() == ["100 %"]


def test_the_last_lines_are_kept(tmp_path: Path) -> None:
    """Twenty of them, for whoever asks why it ended."""
    log = tmp_path / "a.log"
    tail = Tail(log)
    append(log, b"".join(b"%d\n" % number for number in range(100)))
    tail.read()
    assert list(tail.last) == [str(number) for number in range(80, 100)]
