"""What stands in the sidecars, read back as other programs do."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dam.catalogue.row import SNAPSHOT_SCHEMA
from dam.export.sidecars import make_xmp
from dam.ids import new_id
from tests.export.exporting import Xmp
from tests.maintenance.rows import make_row

if TYPE_CHECKING:
    from tests.export.exporting import Exports


def test_other_programs_find_what_people_wrote() -> None:
    """Title, description, tags in both places that programs look in, rating, alternative text, origin."""
    row = make_row(
        new_id(),
        filename="boat & sea.jpg",
        title="Das <Boot>",
        description="Seen from the pier.\nIn May.",
        caption="a red boat",
        caption_by="blip@1",
        tags=["sea", "Füße", "a & b"],
        rating=4,
        mime_type="image/jpeg",
    )
    xmp = Xmp(make_xmp(row))
    assert xmp.text("dc:title") == "Das <Boot>"
    assert xmp.text("dc:description") == "Seen from the pier.\nIn May."
    assert xmp.text("Iptc4xmpCore:AltTextAccessibility") == "a red boat"
    assert xmp.bag("dc:subject") == xmp.bag("lr:hierarchicalSubject") == ["sea", "Füße", "a & b"]
    assert xmp.text("xmp:Rating") == "4"
    assert xmp.text("xmpMM:PreservedFileName") == "boat & sea.jpg"
    assert xmp.text("dc:identifier") == f"urn:uuid:{row.id}"
    assert xmp.text("photoshop:CaptionWriter") is None


def test_a_caption_is_the_description_where_nobody_wrote_one() -> None:
    """With its maker; what is not known is not there at all."""
    row = make_row(new_id(), caption="a red boat", caption_by="blip@1", tags=None)
    xmp = Xmp(make_xmp(row))
    assert (xmp.text("dc:description"), xmp.text("photoshop:CaptionWriter")) == ("a red boat", "blip@1")
    assert (xmp.text("dc:title"), xmp.text("xmp:Rating"), xmp.bag("dc:subject")) == (None, None, [])


def test_what_xml_cannot_hold_is_left_out() -> None:
    """A stray control character spoils no sidecar."""
    row = make_row(new_id(), caption="a\x00 red\x0b boat\ufffe \U0001f98a", tags=["\x1bx"])
    xmp = Xmp(make_xmp(row))
    assert (xmp.text("dc:description"), xmp.bag("dc:subject")) == ("a red boat \U0001f98a", ["x"])


async def test_the_json_has_the_whole_row_and_every_revision(exports: Exports) -> None:
    """Who, when and what, oldest first; every column but the vector."""
    row = await exports.bucket.add("a red boat", captured_at=datetime(2020, 1, 2, tzinfo=UTC))
    await exports.bucket.change(row.id, 1, "edited", "ready", title="The boat", tags=["sea"])
    await exports.run()
    told = exports.read_json("a red boat.jpg")
    assert (told["id"], told["revision"], told["file"]) == (row.id, 2, "a red boat.jpg")
    assert list(told["asset"]) == SNAPSHOT_SCHEMA.names
    assert (told["asset"]["title"], told["asset"]["tags"]) == ("The boat", ["sea"])
    assert told["asset"]["captured_at"] == "2020-01-02T00:00:00+00:00"
    assert [(item["revision"], item["event"], item["actor"], item["title"]) for item in told["history"]] == [
        (1, "enriched", "person:anna", None),
        (2, "edited", "person:anna", "The boat"),
    ]
    assert told["history"][-1] == told["asset"]
