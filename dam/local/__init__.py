"""Everything on one machine: starts the services as processes, feeds them and says what came of it."""
