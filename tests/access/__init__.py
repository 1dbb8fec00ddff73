"""Requests, decisions, accesses and deputies."""
