"""Reviewing what was done: a queue of what was flagged and drawn, verdicts, questions, answers."""
