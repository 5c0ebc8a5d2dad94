"""What the pipeline bears: many clients at once, for a while."""
