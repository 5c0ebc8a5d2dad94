"""The BentoML service: captioner and embedder, standalone behind plain HTTP."""
