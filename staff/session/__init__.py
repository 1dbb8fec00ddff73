"""A member's session, and what a request may do in it."""
