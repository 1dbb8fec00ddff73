"""The reviewer's pages of the log."""
