"""The pages of signing in and of a member's own profile."""
