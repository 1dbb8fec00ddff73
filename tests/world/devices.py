"""Devices with a virtual authenticator in Chromium, and a member who enrols one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from staff.sign_in import invitations
from tests.world.desks import Desk
from tests.world.people import member

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession


#: A device's own authenticator, whose holder has just shown a finger.
OWN_DEVICE = {
    "protocol": "ctap2",
    "ctap2Version": "ctap2_1",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


NEW_PASSWORD = "eleven patient herons"


@dataclass
class Device:
    """The virtual authenticator of one browser."""

    cdp: CDPSession
    id: str

    @classmethod
    def of(cls, desk: Desk, **options: Any) -> Device:
        cdp = desk.page.context.new_cdp_session(desk.page)
        cdp.send("WebAuthn.enable")
        wanted = {"options": OWN_DEVICE | options}
        return cls(cdp, cdp.send("WebAuthn.addVirtualAuthenticator", wanted)["authenticatorId"])

    @property
    def passkeys(self) -> list[dict[str, Any]]:
        found = self.cdp.send("WebAuthn.getCredentials", {"authenticatorId": self.id})
        credentials: list[dict[str, Any]] = found["credentials"]
        return credentials

    def put(self, passkey: dict[str, Any]) -> None:
        self.cdp.send("WebAuthn.addCredential", {"authenticatorId": self.id, "credential": passkey})

    def forget(self) -> None:
        self.cdp.send("WebAuthn.clearCredentials", {"authenticatorId": self.id})

    def refuse(self) -> None:
        """From now on its holder is not recognised."""
        wanted = {"authenticatorId": self.id, "isUserVerified": False}
        self.cdp.send("WebAuthn.setUserVerified", wanted)


def enrol(desk: Desk) -> Device:
    """From the one-time link to the first page, as a newcomer does it."""
    device = Device.of(desk)
    desk.page.goto(desk.origin + invitations.path_of(invitations.invite(member(desk.person))))
    desk.page.get_by_label("New password").fill(NEW_PASSWORD)
    desk.page.get_by_label("The same password again").fill(NEW_PASSWORD)
    desk.click(desk.button("Set password"))
    desk.click(desk.button("Set up a passkey"))
    expect(desk.heading("Your recovery codes")).to_be_visible()
    desk.click(desk.button("I have kept them"))
    expect(desk.page).to_have_url(f"{desk.origin}/")
    return device
