"""Picture decoding: what a viewer would show, and what is refused."""
