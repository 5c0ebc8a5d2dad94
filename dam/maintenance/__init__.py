"""What keeps the bucket in order: compaction, vacuum, the published snapshot, reconcile."""
