"""What the pipeline survives: its processes killed in the middle of their work."""
