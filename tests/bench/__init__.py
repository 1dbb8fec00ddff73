"""`make bench`: the figures of DESIGN §8, as ratios measured in one run."""
