"""The gate, the vault and their boundary."""
