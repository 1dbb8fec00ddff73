"""`make bench`: the figures of tests/README.md, as ratios measured in one run."""
