"""The job queue: one contract for both adapters, and each adapter's own faults."""
