"""Reviewing what was done: a queue of what was flagged and of what was drawn, verdicts, questions, answers."""
