"""What becomes of a batch of changes: revisions follow each other, whatever is asked in whatever order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dam.catalogue import Change, Committed, Refused, Repeated, Row, Stale
from dam.catalogue.planning import plan_batch
from dam.catalogue.row import SCHEMA_VERSION
from dam.ids import new_id
from tests.catalogue.changes import change

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ASSETS = [new_id() for _ in range(3)]
CHANGE_IDS = [new_id() for _ in range(6)]


def apply(known: dict[str, list[Row]], rows: list[Row]) -> dict[str, list[Row]]:
    """What the table holds once the rows are in it."""
    after = {asset_id: list(rows) for asset_id, rows in known.items()}
    for row in rows:
        after.setdefault(row.id, []).append(replace(row, embedding=None))
    return after


def one(known: dict[str, list[Row]], asked: Change) -> Row:
    """The row of a single change that is committed."""
    [outcome] = plan_batch([asked], known, NOW).outcomes
    assert isinstance(outcome, Committed)
    return outcome.row


changes = st.builds(
    change,
    asset_id=st.sampled_from(ASSETS),
    expected=st.integers(0, 4),
    event=st.sampled_from(["enriched", "edited", "deleted"]),
    change_id=st.sampled_from(CHANGE_IDS),
    caption=st.one_of(st.none(), st.text(max_size=5), st.integers()),
)


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.lists(changes, max_size=6), max_size=5))
def test_revisions_of_an_asset_are_one_two_three(batches: list[list[Change]]) -> None:
    """No gap, no repeat, no change twice in an asset's history, and a committed outcome is a row."""
    known: dict[str, list[Row]] = {}
    for batch in batches:
        plan = plan_batch(batch, known, NOW)
        assert len(plan.outcomes) == len(batch)
        committed = [outcome.row for outcome in plan.outcomes if isinstance(outcome, Committed)]
        assert committed == plan.rows
        known = apply(known, plan.rows)
    for rows in known.values():
        assert [row.revision for row in rows] == list(range(1, len(rows) + 1))
        assert len({row.change_id for row in rows}) == len(rows)


@settings(deadline=None)  # the machine may be busy
@given(st.lists(changes, max_size=8))
def test_a_batch_is_its_changes_one_after_the_other(batch: list[Change]) -> None:
    """Coalescing decides nothing."""
    known: dict[str, list[Row]] = {}
    outcomes = []
    for asked in batch:
        plan = plan_batch([asked], known, NOW)
        outcomes += plan.outcomes
        known = apply(known, plan.rows)
    together = plan_batch(batch, {}, NOW)
    assert together.outcomes == outcomes
    assert apply({}, together.rows) == known


@settings(deadline=None)  # the machine may be busy
@given(st.lists(changes, max_size=8))
def test_a_batch_given_again_writes_nothing_twice(batch: list[Change]) -> None:
    """Whatever was committed is recognised by its change id, as the row that it made."""
    first = plan_batch(batch, {}, NOW)
    known = apply({}, first.rows)
    again = plan_batch(batch, known, NOW)
    for before, after in zip(first.outcomes, again.outcomes, strict=True):
        if isinstance(before, (Committed, Repeated)):
            assert isinstance(after, Repeated)
            assert after.row.revision == before.row.revision
    written = [(row.id, row.change_id) for row in [*first.rows, *again.rows]]
    assert len(set(written)) == len(written)


def test_a_row_is_the_whole_state_but_for_the_vector() -> None:
    """What a change does not name is taken over; the embedding stands only in the row that made it."""
    made = change(ASSETS[0], caption="a fox", embedding=[0.5, 1.0], tags=["a"], width=3, filename="f.png")
    first = one({}, made)
    assert (first.caption, first.embedding, first.revision) == ("a fox", [0.5, 1.0], 1)
    assert (first.recorded_at, first.schema_version, first.event) == (NOW, SCHEMA_VERSION, "enriched")
    edit = change(ASSETS[0], 1, "edited", caption="two foxes", tags=None, actor="person:ann")
    second = one({ASSETS[0]: [first]}, edit)
    assert (second.caption, second.tags, second.embedding) == ("two foxes", None, None)
    assert (second.width, second.filename, second.revision) == (3, "f.png", 2)
    assert (second.actor, second.event, second.change_id) == ("person:ann", "edited", edit.change_id)


def test_who_saw_another_revision_is_told_the_current_one() -> None:
    """Too old, too new, and of an asset that has none."""
    first = one({}, change(ASSETS[0]))
    second = one({ASSETS[0]: [first]}, change(ASSETS[0], 1, "edited"))
    known = {ASSETS[0]: [first, second]}
    for expected in (0, 1, 3):
        assert plan_batch([change(ASSETS[0], expected)], known, NOW).outcomes == [Stale(second)]
    assert plan_batch([change(ASSETS[1], 1)], known, NOW).outcomes == [Stale(None)]


def test_a_repeated_change_is_no_stale_one() -> None:
    """Its old row is the answer, although newer ones exist and its expectation is long past."""
    asked = change(ASSETS[0])
    first = one({}, asked)
    second = one({ASSETS[0]: [first]}, change(ASSETS[0], 1, "edited"))
    assert plan_batch([asked], {ASSETS[0]: [first, second]}, NOW).outcomes == [Repeated(first)]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (change("not-an-id"), "not a UUID"),
        (change(ASSETS[0].upper()), "not a UUID"),
        (change(ASSETS[0], nonsense=1), "'nonsense'"),
        (change(ASSETS[0], revision=9), "'revision'"),
        (change(ASSETS[0], width="3"), "width must be int32"),
        (change(ASSETS[0], width=2**31), "width does not fit"),
        (change(ASSETS[0], change_id=None), "change_id is missing"),
        (change(ASSETS[0], actor=7), "actor must be string"),
    ],
)
def test_a_change_that_fits_no_row_is_refused_and_its_neighbours_are_not(asked: Change, said: str) -> None:
    """With a sentence that names the column and the value."""
    plan = plan_batch([change(ASSETS[1]), asked, change(ASSETS[2])], {}, NOW)
    before, refused, after = plan.outcomes
    assert isinstance(before, Committed)
    assert isinstance(after, Committed)
    assert isinstance(refused, Refused)
    assert said in refused.reason
    assert len(plan.rows) == 2
