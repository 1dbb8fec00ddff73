"""Chromium before an installation: the name leads to its ports, and its certificate holds."""

from __future__ import annotations

import base64
import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import expect, sync_playwright

from tests.shipped.visitor import HOST
from tests.world.desks import CHROMIUM, FLAGS, PATIENCE
from tests.world.devices import OWN_DEVICE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.shipped.installation import Installation


@contextmanager
def browser(site: Installation) -> Iterator[Page]:
    """A page on a device with an authenticator of its own."""
    names = f"MAP {HOST}:80 127.0.0.1:{site.http}, MAP {HOST}:443 127.0.0.1:{site.https}"
    # The authority is nobody's but the test's; a passkey wants a certificate without an error.
    trusted = f"--ignore-certificate-errors-spki-list={_pin(site)}"
    flags = [*FLAGS, f"--host-resolver-rules={names}", trusted]
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE)
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        context = chromium.new_context(locale="en", reduced_motion="reduce")
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        cdp = context.new_cdp_session(page)
        cdp.send("WebAuthn.enable")
        cdp.send("WebAuthn.addVirtualAuthenticator", {"options": OWN_DEVICE})
        yield page
        chromium.close()


def _pin(site: Installation) -> str:
    """The certificate's key as Chromium names it."""
    certificate = x509.load_pem_x509_certificate((site.root / "tls" / "site.pem").read_bytes())
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key).digest()).decode()
