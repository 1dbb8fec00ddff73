"""Members, signing in, agreements."""
