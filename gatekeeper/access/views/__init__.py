"""The pages of accounts, requests, decisions and the team."""
