"""What reviewers ask the log, and what it answers."""
