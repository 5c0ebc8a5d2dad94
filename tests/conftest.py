"""Fixtures that every test may ask for: the real services, started once a session and only when asked for."""

pytest_plugins = ["tests.services.radosgw", "tests.services.rabbitmq"]
