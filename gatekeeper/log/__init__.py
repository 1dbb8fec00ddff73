"""The log's pages: what its tokens are called here, where its links lead, and its files."""
