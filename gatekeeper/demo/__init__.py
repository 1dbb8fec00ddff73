"""The demo: its database, its people, and what they did before it was started."""
