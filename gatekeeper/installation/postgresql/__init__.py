"""Django's PostgreSQL, whose connections look after themselves: see `base`."""
