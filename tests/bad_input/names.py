"""File names as nobody should send them, and the names that are kept."""

from __future__ import annotations

from typing import Final

NAMES: Final = {
    "a way out of the folder": (b"../../../etc/passwd.png", "passwd.png"),
    "a way out, as Windows writes it": (rb"..\..\boot.png", "boot.png"),
    "an absolute path": (b"/etc/cron.d/job.png", "job.png"),
    "only dots": (b"..", "unnamed.png"),
    "no name at all": (b"", "unnamed.png"),
    "NUL": (b"holiday.php\0.png", "holiday.php.png"),
    "a line end, percent-encoded as browsers do": (b"two%0D%0Alines.png", "twolines.png"),
    "control characters": (b"bell\x07tab\tescape\x1b[31m.png", "belltabescape[31m.png"),
    "a right-to-left mark": ("photo\u202egnp.exe.png".encode(), "photognp.exe.png"),
    "5,000 characters": (b"n" * 4_996 + b".png", "n" * 251 + ".png"),
    "5,000 characters of three bytes": ("図".encode() * 1_666 + b".png", "図" * 83 + ".png"),
    "not UTF-8": (b"caf\xe9.png", "café.png"),
    "half a character": (b"half\xed\xa0\x80.png", "halfí\xa0.png"),
    "a script": (b"<script>alert(1)<script>.png", "<script>alert(1)<script>.png"),
    "a format and a shell": (b"%s%n$(reboot)`id`.png", "%s%n$(reboot)`id`.png"),
    "another kind's ending": (b"program.exe", "program.exe"),
    "emoji and quotes": ("\U0001f600%22quoted%22.png".encode(), '\U0001f600"quoted".png'),
}
"""What it is: the bytes sent, and the name that the asset gets."""
