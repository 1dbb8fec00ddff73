"""Messages of a page for the next one, in what pages note of a session: no cookie holds their words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.messages.storage.base import BaseStorage
from django.contrib.messages.storage.cookie import MessageDecoder, MessageEncoder

from staff.session import sessions

if TYPE_CHECKING:
    from django.http import HttpResponseBase

KEY = "messages"


class Storage(BaseStorage):
    """Django's messages, kept beside the session instead of in it."""

    def _get(self, *_args: Any, **_kwargs: Any) -> tuple[list[Any], bool]:
        noted = sessions.of(self.request).note(KEY)
        return MessageDecoder().decode(noted) if noted else [], True

    def _store(self, messages: Any, response: HttpResponseBase, *_args: Any, **_kwargs: Any) -> list[Any]:
        noted = MessageEncoder().encode(list(messages)) if messages else None
        sessions.of(self.request).put_note(KEY, noted)
        return []
