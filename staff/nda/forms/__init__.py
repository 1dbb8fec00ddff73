"""The forms of agreements and standing authorisations."""
