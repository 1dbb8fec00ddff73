"""The customer's report: when, why, which kinds of data and by which role data were seen (C-579/21)."""
