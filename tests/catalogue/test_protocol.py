"""The commit protocol over a table that races, answers late, not at all, or lies about it."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dam.catalogue import Change, Committed, Refused, Repeated, Row, Stale, protocol
from dam.catalogue.protocol import write_batch
from dam.errors import CatalogueUnavailableError
from dam.ids import new_id
from tests.catalogue.changes import change
from tests.catalogue.faulty import FaultyTable, Log

A, B = new_id(), new_id()


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between tries; how long they are is nobody's promise."""
    monkeypatch.setattr(protocol, "_FIRST_WAIT_S", 0.0)


def committed(outcome: object) -> Row:
    assert isinstance(outcome, Committed), outcome
    return outcome.row


def test_a_batch_is_one_commit() -> None:
    """All rows of it, in order, and the outcomes say so."""
    table = FaultyTable()
    outcomes = write_batch(table, [change(A, caption="a"), change(B), change(A, 1, "edited", caption="b")])
    assert [committed(outcome) for outcome in outcomes] == table.log.rows
    assert [(row.id, row.revision, row.caption) for row in table.log.rows] == [
        (A, 1, "a"),
        (B, 1, None),
        (A, 2, "b"),
    ]
    assert len(table.log.commits) == 1


def test_what_writes_no_row_makes_no_commit() -> None:
    """Stale, refused and repeated changes leave the table's version as it is."""
    table = FaultyTable()
    first = change(A)
    write_batch(table, [first])
    outcomes = write_batch(table, [change(A), first, change(B, width="x")])
    assert [type(outcome) for outcome in outcomes] == [Stale, Repeated, Refused]
    assert (len(table.log.commits), table.appends) == (1, 1)


def test_a_race_lost_to_another_asset_costs_a_turn() -> None:
    """Judged anew on the newer table, and written."""
    log = Log()
    table = FaultyTable(log, deque(["race"]), rival=lambda: write_batch(FaultyTable(log), [change(B)]))
    [outcome] = write_batch(table, [change(A)])
    assert committed(outcome).revision == 1
    assert [row.id for row in log.rows] == [B, A]


def test_a_race_lost_to_the_same_asset_is_stale() -> None:
    """The revision that came first stands; nobody's edit is overwritten unseen."""
    log = Log()
    theirs = change(A, caption="theirs")
    table = FaultyTable(log, deque(["race"]), rival=lambda: write_batch(FaultyTable(log), [theirs]))
    mine, other = write_batch(table, [change(A, caption="mine"), change(B)])
    assert isinstance(mine, Stale)
    assert mine.current is not None
    assert mine.current.caption == "theirs"
    assert committed(other).id == B
    assert [row.caption for row in log.rows if row.id == A] == ["theirs"]


def test_a_race_lost_to_the_same_change_is_a_repetition() -> None:
    """A job delivered to two workers at once is one row."""
    log = Log()
    job = change(A)
    table = FaultyTable(log, deque(["race"]), rival=lambda: write_batch(FaultyTable(log), [job]))
    [outcome] = write_batch(table, [job])
    assert outcome == Repeated(log.rows[0])
    assert len(log.rows) == 1


@pytest.mark.parametrize("fault", ["after", "own"])
def test_a_commit_that_seemed_to_fail_is_found(fault: str) -> None:
    """Its commit id is in the table: told as committed, and not written again."""
    table = FaultyTable(faults=deque([fault]))
    [outcome] = write_batch(table, [change(A, embedding=[1.0])])
    assert committed(outcome) == table.log.rows[0]
    assert (len(table.log.rows), table.appends) == (1, 1)


def test_a_commit_that_failed_is_written_once_more() -> None:
    """Looked for, not found, done again; twice if need be."""
    table = FaultyTable(faults=deque(["before", "before"]))
    [outcome] = write_batch(table, [change(A)])
    assert [committed(outcome)] == table.log.rows
    assert table.appends == 3


def test_an_unclear_commit_is_found_beneath_later_ones() -> None:
    """Others committed between its writing and the look for it."""
    log = Log()
    table = FaultyTable(log, deque(["after"]))
    append = table.append

    def append_and_be_overtaken(rows: list[Row], commit_id: str) -> None:
        try:
            append(rows, commit_id)
        finally:
            for _ in range(3):
                write_batch(FaultyTable(log), [change()])

    table.append = append_and_be_overtaken  # type: ignore[method-assign,assignment]  # the fault itself
    [outcome] = write_batch(table, [change(A)])
    assert committed(outcome).id == A
    assert [row.id for row in log.rows].count(A) == 1


def test_a_row_that_nobody_can_write_does_not_hold_its_batch_back() -> None:
    """The batch is split around it: it alone gets the error, and one asset's changes keep their order."""
    table = FaultyTable(poison="poison")
    batch = [change() for _ in range(9)]
    batch[3] = change(A, caption="poison")
    batch[6:6] = [change(B), change(B, 1, "edited")]
    outcomes = write_batch(table, batch)
    failed = [number for number, outcome in enumerate(outcomes) if not isinstance(outcome, Committed)]
    assert failed == [3]
    assert isinstance(outcomes[3], CatalogueUnavailableError)
    assert [row.revision for row in table.log.rows if row.id == B] == [1, 2]
    assert [row.id for row in table.log.rows] == [item.asset_id for item in batch if item.asset_id != A]


def test_a_table_that_is_away_is_not_asked_for_each_row() -> None:
    """All changes get the error, after a few tries of the whole."""
    table = FaultyTable(is_down=True)
    outcomes = write_batch(table, [change() for _ in range(64)])
    assert all(isinstance(outcome, CatalogueUnavailableError) for outcome in outcomes)
    assert len(outcomes) == 64
    assert table.refreshes < 8


def test_a_table_that_takes_nothing_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bucket that can be read and not written (full, or forbidden) is no reason to split for hours."""
    monkeypatch.setattr(protocol, "_SPLIT_BUDGET_S", 0.0)
    table = FaultyTable(poison="any")
    outcomes = write_batch(table, [change(caption="any") for _ in range(64)])
    assert all(isinstance(outcome, CatalogueUnavailableError) for outcome in outcomes)
    assert table.appends < 8


def test_a_race_that_is_always_lost_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """With an error that says so; nothing was written, and the batch is not split."""
    monkeypatch.setattr(protocol, "_RACE_BUDGET_S", 0.05)
    monkeypatch.setattr(protocol, "_SPLIT_BUDGET_S", 0.05)
    log = Log()
    faults = deque(["race"] * 100_000)
    table = FaultyTable(log, faults, rival=lambda: log.commits.append((new_id(), [])))
    outcomes = write_batch(table, [change(), change()])
    assert all(isinstance(outcome, CatalogueUnavailableError) for outcome in outcomes)
    assert "lost the race" in str(outcomes[0])
    assert outcomes[0] is outcomes[1]
    assert log.rows == []


steps = st.lists(
    st.tuples(
        st.lists(st.tuples(st.sampled_from([A, B]), st.integers(0, 3)), min_size=1, max_size=4),
        st.lists(st.sampled_from(["none", "before", "after", "own", "race"]), max_size=4),
    ),
    max_size=6,
)


@settings(deadline=None, max_examples=200)
@given(steps)
def test_whatever_goes_wrong_what_is_told_is_what_is_there(
    script: list[tuple[list[tuple[str, int]], list[str]]],
) -> None:
    """Every row told as committed is in the table once; no revision repeats, none is skipped."""
    log = Log()
    told: list[Row] = []
    everything: list[Change] = []

    def rival() -> None:
        revisions = [row.revision for row in log.rows if row.id == A]
        told.extend(
            committed(outcome)
            for outcome in write_batch(FaultyTable(log), [change(A, max(revisions, default=0), "edited")])
        )

    for asked, faults in script:
        batch = [change(asset_id, expected, "edited") for asset_id, expected in asked]
        everything += batch
        outcomes = write_batch(FaultyTable(log, deque(faults), rival), batch)
        told += [outcome.row for outcome in outcomes if isinstance(outcome, Committed)]
    keys = [(row.id, row.revision) for row in log.rows]
    assert len(set(keys)) == len(keys)
    for asset_id in (A, B):
        revisions = [row.revision for row in log.rows if row.id == asset_id]
        assert revisions == list(range(1, len(revisions) + 1))
    assert all(log.rows.count(row) == 1 for row in told)
    for outcome in write_batch(FaultyTable(log), everything):
        assert isinstance(outcome, (Committed, Repeated, Stale))
