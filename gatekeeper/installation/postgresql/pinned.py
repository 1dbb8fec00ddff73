"""What each of our connections says about itself at its start, whatever its role was told to be.

A role may set defaults for its own sessions (`ALTER ROLE … SET`), and so may whoever speaks as it: isolation
that closes every gate, a limit of a millisecond, a library that is not there. What is said at the start beats
that. Pinned is what changes a meaning, locks the role out or puts values into the server's log; what only
makes it slower is the server's, and the page of checks names it.
"""

from __future__ import annotations

from typing import Any, Final

PINNED: Final = {
    # When it sees what, and when it is on disk.
    "default_transaction_isolation": "read committed",
    "default_transaction_read_only": "off",
    "default_transaction_deferrable": "off",
    "synchronous_commit": "on",
    # Until when: no limit but an alias' own, and that nobody of ours idles in a transaction.
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "60s",
    "idle_session_timeout": "0",
    "exit_on_error": "off",
    # What a name means, and where a table lies.
    "search_path": "public",
    "role": "none",
    "row_security": "on",
    "default_tablespace": "",
    "temp_tablespaces": "",
    "default_table_access_method": "heap",
    "local_preload_libraries": "",
    # What a value means, and how it is written.
    "TimeZone": "UTC",
    "timezone_abbreviations": "Default",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "array_nulls": "on",
    "transform_null_equals": "off",
    "standard_conforming_strings": "on",
    "quote_all_identifiers": "off",
    "gin_fuzzy_search_limit": "0",
    # What our functions do.
    "check_function_bodies": "on",
    "plpgsql.check_asserts": "on",
    "plpgsql.extra_errors": "none",
    "plpgsql.extra_warnings": "none",
    # No value in the server's log.
    "log_parameter_max_length_on_error": "0",
    "debug_print_parse": "off",
    "debug_print_rewritten": "off",
    "debug_print_plan": "off",
}
#: By the server's version that knows them first: an older one refuses whoever names them.
SINCE: Final = {170000: {"transaction_timeout": "0"}}


def options(**own: str) -> str:
    """Return the pinned settings as a connection's `options`, with those that an alias has of its own."""
    return _written(PINNED | own)


def since(version: int) -> str:
    """Return those that only this version and newer ones know."""
    known = {name: value for first, more in SINCE.items() if first <= version for name, value in more.items()}
    return _written(known)


def _written(settings: dict[str, str]) -> str:
    return " ".join(f"-c {name}={value.replace(' ', chr(92) + ' ')}" for name, value in settings.items())


def joined(parameters: dict[str, Any], more: str) -> dict[str, Any]:
    """Return a connection's parameters with more options."""
    return parameters | {"options": f"{parameters.get('options', '')} {more}".strip()}
