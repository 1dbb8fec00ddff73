"""Settings of the site: its keys for cookies, its address, its hosts, proxies and mail."""

from __future__ import annotations

from email.utils import parseaddr
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from gatekeeper.installation import addresses, proxies
from gatekeeper.installation.addresses import AddressError, MailServer
from gatekeeper.installation.reader import PLACEHOLDER, Reader


class SiteSettings(Reader):
    """Settings of the site: its keys for cookies, its address, its hosts, proxies and mail."""

    def secret_key(self) -> str:
        """Return the key for signed cookies and forms; refuses a short or plain one (Django's check W009)."""
        key = self.text("SECRET_KEY")
        if len(key) < 50 or len(set(key)) < 10:
            raise self.refusal("SECRET_KEY", "is too short or too plain")
        return key

    def debug(self) -> bool:
        """Return whether errors show their cause; refuses it in production."""
        if self.switch("DEBUG") and self.in_production:
            raise self.refusal("DEBUG", "is on in production; remove it")
        return self.switch("DEBUG")

    def time_zone(self) -> str:
        """Return the company's time zone, whose days are meant wherever a date ends something."""
        name = self.text("TIME_ZONE")
        try:
            return ZoneInfo(name).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise self.refusal("TIME_ZONE", "is no time zone") from None

    def site_url(self) -> str:
        """Return the site's origin: https in production, and no name out of an example."""
        schemes = {"https"} if self.in_production else {"https", "http"}
        try:
            url = addresses.origin(self.text("SITE_URL").rstrip("/"), schemes)
        except AddressError as error:
            what = f"is not {' or '.join(sorted(schemes))}:// and a host: it {error}"
            raise self.refusal("SITE_URL", what) from None
        if self.in_production and PLACEHOLDER.search(url):
            raise self.refusal("SITE_URL", "holds a placeholder")
        return url

    def hosts(self) -> list[str]:
        """Return the hosts that are served; in production none by a wildcard."""
        hosts = self.names("ALLOWED_HOSTS")
        if self.in_production and any("*" in host or PLACEHOLDER.search(host) for host in hosts):
            raise self.refusal("ALLOWED_HOSTS", "serves any host, or holds a placeholder")
        try:
            return [host if host == "*" else addresses.served_host(host) for host in hosts]
        except AddressError as error:
            raise self.refusal("ALLOWED_HOSTS", str(error)) from None

    def mail_server(self) -> MailServer | None:
        """Return the server by which mail leaves; None where none does."""
        text = self.text("MAIL_URL")
        try:
            return addresses.mail_server(text) if text else None
        except AddressError as error:
            raise self.refusal("MAIL_URL", str(error)) from None

    def mail_from(self) -> str:
        """Return the sender of mail, an address or a name with one."""
        sender = self.text("MAIL_FROM")
        try:
            if sender:
                validate_email(parseaddr(sender)[1] if sender.isprintable() else "")
        except ValidationError:
            raise self.refusal("MAIL_FROM", "is no e-mail address, and no name with one in <…>") from None
        return sender

    def trusted_proxies(self) -> list[str]:
        """Return the proxies whose forwarded headers count."""
        names = self.names("TRUSTED_PROXIES")
        try:
            proxies.Trusted.read(names)
        except ValueError:
            raise self.refusal("TRUSTED_PROXIES", "holds what is no address, network or 'unix'") from None
        return names

    def forwarded_header(self) -> str:
        """Return the header that names the client, as its standard spells it."""
        name = self.text("FORWARDED_HEADER").lower()
        spelled = {header.lower(): header for header in proxies.HEADERS}
        if name not in spelled:
            raise self.refusal("FORWARDED_HEADER", f"is neither {' nor '.join(proxies.HEADERS)}")
        return spelled[name]

    def helpdesk_url(self) -> str:
        """Return a ticket page's address, with {number} in its number's place; '' where there is none."""
        pattern = self.text("HELPDESK_TICKET_URL")
        if pattern and not ("{number}" in pattern and addresses.is_web_page(pattern)):
            raise self.refusal("HELPDESK_TICKET_URL", "is no https address with {number}")
        return pattern
