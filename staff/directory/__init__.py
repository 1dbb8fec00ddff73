"""Members: added, changed, suspended, brought back; and what waits for a second person."""
