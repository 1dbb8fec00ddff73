"""What the platform and the helpdesk say: lines read, stored and applied."""
