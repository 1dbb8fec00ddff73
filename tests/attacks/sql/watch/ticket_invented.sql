-- As: gatekeeper_watch
-- Wants: a ticket of an account for whom there is none.
-- Verdict: refused
SELECT gatekeeper.apply_tickets('[{"number": "ZD-66666", "kind": "support", "state": "open", "accounts": ["MOC-40002"], "assignee": "K-1000",
    "opened_by": "customer", "opened_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"}]', 'helpdesk');
