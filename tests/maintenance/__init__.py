"""Tests of maintenance: the lease, the snapshot, upkeep of the table, reconcile and the commands."""
