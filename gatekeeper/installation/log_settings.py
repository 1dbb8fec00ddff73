"""Settings of the log: its name, its keys, and where it leaves the database."""

from __future__ import annotations

from urllib.parse import urlsplit

from audit.seal.anchors import AnchorError, anchor
from audit.seal.checkpoints import Keys, LogKeyError, Signer
from audit.siem.receivers import Https, TargetError, receiver
from audit.verify_bundle import ProofError
from gatekeeper.installation import addresses
from gatekeeper.installation.addresses import AddressError
from gatekeeper.installation.site_settings import SiteSettings


class LogSettings(SiteSettings):
    """Settings of the log: its name, its keys, and where it leaves the database."""

    def log_origin(self) -> str:
        """Return the log's name, which no blank and no '+' may appear in (C2SP signed-note)."""
        origin = self.text("LOG_ORIGIN") or f"{urlsplit(self.site_url()).hostname}/log"
        if len(origin) > 100 or "+" in origin or any(c.isspace() for c in origin):
            raise self.refusal("LOG_ORIGIN", "is too long, or has a blank or '+'")
        return origin

    def log_key(self) -> str:
        """Return the log's private key once it has been read; '' where it does not belong."""
        key = self.text("LOG_KEY")
        if key:
            try:
                Signer(self.log_origin(), key)
            except LogKeyError as error:
                raise self.refusal("LOG_KEY", f"cannot be used: {error}") from None
        return key

    def log_verifier(self) -> str:
        """Return the log's public keys as text, the newest first; '' where neither is given."""
        text, private = self.text("LOG_VERIFIER"), self.log_key()
        own = [str(Signer(self.log_origin(), private).key)] if private else []
        given = [key for key in self.names("LOG_VERIFIER") if key not in own]
        try:
            return str(Keys.read(",".join(own + given))) if own or text else ""
        except ProofError as error:
            raise self.refusal("LOG_VERIFIER", str(error)) from None

    def log_anchors(self) -> list[str]:
        """Return where checkpoints are copied to; refuses what is no anchor."""
        anchors = self.names("LOG_ANCHORS")
        try:
            for name in anchors:
                anchor(name)
        except AnchorError as error:
            raise self.refusal("LOG_ANCHORS", str(error)) from None
        return anchors

    def siem_target(self) -> str:
        """Return where the log is sent, once it can be used and was declared as lying in the EU."""
        target, in_eu = self.text("SIEM_TARGET"), self.switch("SIEM_IN_EU")
        if not target:
            return ""
        try:
            found = receiver(target)
            if not isinstance(found, Https):
                return target
            where = urlsplit(target)
            target = addresses.origin(f"https://{where.netloc}", {"https"}) + where.path
        except (TargetError, AddressError) as error:
            raise self.refusal("SIEM_TARGET", str(error)) from None
        if not in_eu:
            raise self.refusal("SIEM_IN_EU", "is not 'yes'")
        return target
