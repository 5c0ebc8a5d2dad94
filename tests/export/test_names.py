"""Names: kept where they can be, safe everywhere, and nobody's twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam.export.names import find_folder, fold, list_candidates
from dam.ids import new_id
from tests.maintenance.rows import NOW, make_row

ID = "01a20cab-78d5-754e-87d0-ed4130bc5e5c"


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("boat.jpg", "boat.jpg"),
        ("Füße & Co (2).JPEG", "Füße & Co (2).JPEG"),
        ("../../etc/passwd", "passwd.jpg"),
        ("C:\\pictures\\boat.png", "boat.png"),
        ('a<b>c:d"e|f?g*.jpg', "a_b_c_d_e_f_g_.jpg"),
        ("CON", "_CON.jpg"),
        ("nul.png", "_nul.png"),
        ("boat. . ", "boat.jpg"),
        (".htaccess", "htaccess.jpg"),
        ("boat.jpg.xmp", "boat.jpg.xmp.jpg"),
        ("boat.JSON", "boat.JSON.jpg"),
        ("", f"{ID}.jpg"),
        (None, f"{ID}.jpg"),
        ("gpj.\u202eexe", "gpj.exe"),
    ],
)
def test_a_name_is_kept_as_far_as_it_is_safe(filename: str | None, expected: str) -> None:
    """No folder, no device, nothing that a disk refuses; never the name of a sidecar."""
    row = make_row(ID, filename=filename, r2_key=f"assets/{ID}.jpg")
    assert next(list_candidates(row)) == expected


@given(st.text(max_size=400))
def test_any_name_makes_three_safe_ones(filename: str) -> None:
    """With room for the longest sidecar's ending; the last holds the whole id."""
    names = list(list_candidates(make_row(ID, filename=filename, r2_key=f"assets/{ID}.jpg")))
    assert len({fold(name) for name in names}) == 3
    assert ID in names[-1]
    for name in names:
        assert 0 < len(f"{name}.json".encode()) <= 255
        assert not set(name) & set('<>:"/\\|?*\0\n')
        assert not name.startswith((".", " "))
        assert not name.endswith((".", " ", ".xmp", ".json"))


def test_the_folder_is_the_month_of_arrival() -> None:
    """It never changes, whatever is edited."""
    assert find_folder(make_row(new_id(), received_at=NOW)) == "2026/05"
    assert find_folder(make_row(new_id())) == "undated"
