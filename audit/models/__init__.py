"""The log and what is beside it: entries, their sealed tree, what left the database, what rules found."""

from audit.models.entry import VIEWS, Entry, EntryManager, Event, Outcome
from audit.models.fields import TransactionId
from audit.models.limits import Limit
from audit.models.outside import Copy, Stream
from audit.models.rules import Flag, Round
from audit.models.tree import Checkpoint, Era, Leaf, LogKey, Node, Tag

__all__ = [
    "VIEWS",
    "Checkpoint",
    "Copy",
    "Entry",
    "EntryManager",
    "Era",
    "Event",
    "Flag",
    "Leaf",
    "Limit",
    "LogKey",
    "Node",
    "Outcome",
    "Round",
    "Stream",
    "Tag",
    "TransactionId",
]
