"""What the platform and the helpdesk say."""
