"""Real services that tests and benchmarks start for themselves: an S3 server and a broker."""
