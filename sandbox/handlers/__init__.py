"""One handler per resource type: what the engine and the provider of the real command do to a cloud."""
