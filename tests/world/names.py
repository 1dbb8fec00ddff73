"""Names that people can read, and names that nobody can."""

from __future__ import annotations

#: What nobody can read, or reads as another name; each stands in a member's name alone or beside letters.
UNREADABLE_NAMES = (
    *("\u200b\u200b", "\u202eevil", "\u2066x", "Anna \u202ekawoN", "Ada\ufeff", "Ada\u00ad", "Ada\u200e"),
    *("\u3164", "\u115f\u1160", "\uffa0", "A\u3164", "\u2800", "Ada \u2800", "\u034f", "\ufe0f", "\u200d"),
    *(
        "\U000e0041",
        "\ue000",
        "\ue000a",
        "Ada\ufffd",
        "Ada\uffff",
        "Ada\U0001fffe",
        "\ufdd0Ada",
        "😀",
        "-",
        "1",
        "\u0301",
    ),
)


READABLE_NAMES = (
    *("José O'Neill", "\u738b\u5c0f\u660e", "\u0639\u0644\u064a", "\u0645\u06cc\u200c\u062e", "A. B."),
    *("\u845b\U000e0100\u57ce", "Ren\u0065\u0301", "\u0d28\u0d4d\u200d", "R2", "ნინო ბერიძე"),
)


#: Shows nothing at all, also to who only looks.
UNSEEN_NAMES = ("\u200b", "\u3164", "\u2800\u2800", "\u202e", "\u00ad", "\u115f", "\ufe0f", "\u200d \u200d")
