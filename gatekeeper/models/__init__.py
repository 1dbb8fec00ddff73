"""Accounts without a personal value, tickets, requests and grants.

Personal values and data keys are in schema `vault`, where no model reaches.
The web role reads these tables; what access rests on changes through functions alone.
"""

from gatekeeper.models.accounts import Account, AccountPermission
from gatekeeper.models.budgets import DailyAccount, DailyBudget, MoreToday
from gatekeeper.models.feeds import Delivery, Feed
from gatekeeper.models.requests import AccessRequest, Deputy, Grant
from gatekeeper.models.reviews import Draw, Remark, Review
from gatekeeper.models.tickets import Assignment, Ticket

__all__ = [
    "AccessRequest",
    "Account",
    "AccountPermission",
    "Assignment",
    "DailyAccount",
    "DailyBudget",
    "Delivery",
    "Deputy",
    "Draw",
    "Feed",
    "Grant",
    "MoreToday",
    "Remark",
    "Review",
    "Ticket",
]
