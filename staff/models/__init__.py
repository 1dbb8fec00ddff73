"""Who works here: members, their sessions and factors, and their non-disclosure agreements.

The web role may read these tables. What access rests on (roles, managers, suspension, leaving,
versions, signatures) it changes through the functions of `staff/sql` alone, which record in the
same transaction.
"""

from staff.models.agreements import (
    Authorisation,
    NdaDraft,
    NdaVersion,
    Reminder,
    Signature,
    SignatureFile,
)
from staff.models.attempts import AttemptCount
from staff.models.factors import RecoveryCode, RecoveryDevice, TotpDevice
from staff.models.mails import TRIES, Mail
from staff.models.members import Member, MemberManager, Proposal, Recovery, Role
from staff.models.sessions import Invitation, Session, SessionNotes

__all__ = [
    "TRIES",
    "AttemptCount",
    "Authorisation",
    "Invitation",
    "Mail",
    "Member",
    "MemberManager",
    "NdaDraft",
    "NdaVersion",
    "Proposal",
    "Recovery",
    "RecoveryCode",
    "RecoveryDevice",
    "Reminder",
    "Role",
    "Session",
    "SessionNotes",
    "Signature",
    "SignatureFile",
    "TotpDevice",
]
