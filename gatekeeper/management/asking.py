"""Asking who runs a command, before what cannot be undone."""

from __future__ import annotations

from django.core.management.base import CommandError


def answer(question: str) -> str:
    """What is typed in answer. Raises CommandError, with the way on, where nobody can be asked."""
    try:
        return input(question)
    except UnicodeDecodeError:
        return ""  # what no keyboard types
    except (EOFError, OSError):
        raise CommandError("Nothing was done: nobody can be asked. Run it again with --yes.") from None
