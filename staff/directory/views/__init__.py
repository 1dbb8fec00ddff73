"""The pages of members and of what waits for a second person."""
