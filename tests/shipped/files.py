"""Files that a walk was given, opened by what their names say they are."""

from __future__ import annotations

import csv
import io
import json
import zipfile

from tests.world.poppler import text_of


def unreadable(name: str, content: bytes) -> str:
    """Open a file by what its name says it is, and return what is wrong with it."""
    try:
        match name.rpartition(".")[2]:
            case "pdf":
                return "" if text_of(content).strip() else f"{name} has no text"
            case "csv":
                rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
                return "" if rows and rows[0] else f"{name} is empty"
            case "json":
                json.loads(content)
            case "jsonl":
                for line in content.splitlines():
                    json.loads(line)
            case "zip":
                with zipfile.ZipFile(io.BytesIO(content)) as archive:
                    return f"{name}: {archive.testzip()} is broken" if archive.testzip() else ""
            case "txt" | "note":
                return "" if content.decode().strip() else f"{name} is empty"
            case _:
                return f"nobody knows how to open {name!r}"
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        return f"{name}: {error}"
    return ""
