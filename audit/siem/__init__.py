"""The stream of what was sealed, to a SIEM."""
