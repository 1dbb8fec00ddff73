"""The log: its entries, seal, proofs, rules, reviews and reports."""
