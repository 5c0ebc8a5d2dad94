"""The upload API: validate, store, queue, answer."""
