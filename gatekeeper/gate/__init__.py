"""The gate: the decision, the vault behind it, and the words of both."""
