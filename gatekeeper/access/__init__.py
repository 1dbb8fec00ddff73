"""Requests, approvals, grants and deputies, with their pages."""
