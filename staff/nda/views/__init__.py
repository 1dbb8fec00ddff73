"""The pages of agreements, signatures and standing authorisations."""
