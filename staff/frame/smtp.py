"""Django's way to a mail server, with an end.

Its timeout is for each wait alone: a server that sends a byte now and then would hold a thread for as long
as it likes. Here every act (connecting, sending, closing) is over after BOUND seconds, whatever the
server does.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from smtplib import SMTP, SMTP_SSL, SMTPServerDisconnected
from typing import Any, Final

from django.core.mail import EmailMessage
from django.core.mail.backends import smtp

#: Seconds. Some servers let a client wait for several before they greet.
BOUND: Final = 20.0


class Watch:
    """Shuts the connection that it follows when the time for an act is over."""

    def __init__(self) -> None:
        self._followed: socket.socket | None = None
        self._is_over = False
        self._is_timed = False

    def follow(self, connection: socket.socket) -> None:
        """Follow a connection; through a name of its own for it, for TLS takes the first away."""
        self.leave()
        self._followed = connection.dup()
        if self._is_over:
            self._close()

    def leave(self) -> None:
        """Follow nothing any more."""
        if self._followed is not None:
            self._followed.close()
        self._followed = None

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Raises TimeoutError where a wait, or all that is done in it, took too long."""
        if self._is_timed:  # as a part of what is timed already
            yield
            return
        self._is_over, self._is_timed = False, True
        timer = threading.Timer(seconds, self._close)
        timer.daemon = True
        timer.start()
        try:
            yield
        except OSError as error:
            if self._is_over or _waited_too_long(error):
                raise TimeoutError from error
            raise
        finally:
            timer.cancel()
            self._is_timed = False

    def _close(self) -> None:
        self._is_over = True
        followed = self._followed
        if followed is not None:
            with suppress(OSError):  # it is closed already
                followed.shutdown(socket.SHUT_RDWR)


def _waited_too_long(error: OSError) -> bool:
    """smtplib says of a wait that was too long that the server went."""
    return isinstance(error, SMTPServerDisconnected) and isinstance(error.__context__, TimeoutError)


class _Watched(SMTP):
    watch: Watch

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connection: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]  # untyped
        self.watch.follow(connection)
        return connection


class _WatchedTls(SMTP_SSL, _Watched):
    """The watch comes between: it gets the connection before TLS does."""


class EmailBackend(smtp.EmailBackend):
    """Raises TimeoutError where the server takes too long, besides what Django's own raises."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self._watch = Watch()

    @property
    def connection_class(self) -> Any:
        kind = _WatchedTls if self.use_ssl else _Watched
        return type(kind.__name__, (kind,), {"watch": self._watch})  # it connects while it is made

    def open(self) -> bool | None:
        try:
            with self._watch.within(BOUND):
                return super().open()
        except OSError:
            self._watch.leave()  # nobody closes what was not opened
            raise

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        with self._watch.within(BOUND):
            return super().send_messages(email_messages)

    def close(self) -> None:
        try:
            with self._watch.within(BOUND):
                super().close()
        finally:
            self._watch.leave()
