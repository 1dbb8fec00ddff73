"""The pages of `staff`: signing in, links, members, agreements, one's own settings."""
