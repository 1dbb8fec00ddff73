"""Reviewing what was done: a queue of what is odd and of what was drawn, verdicts, questions, answers."""
