"""Settings, roles, connections, the demo."""
