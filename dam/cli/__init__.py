"""The `dam` command line: one module per command, put together in `main`."""
