"""One-time codes of the sample people."""

from __future__ import annotations

import importlib
import time

from gatekeeper.demo.saying import fail


def unused_code(number: str) -> str:
    """Return the member's code of now, or of the next half minute: a code counts once."""
    models = importlib.import_module("staff.models")
    totp = importlib.import_module("staff.secrets.totp")
    device = models.TotpDevice.objects.filter(user__number=number, confirmed=True).first()
    if device is None:
        fail(f"{number} is nobody here, or has no second factor yet.")
    while int(time.time()) // totp.STEP <= device.last_step:
        time.sleep(0.2)
    return str(totp.current_code(device.key))
