"""The pages beside the features: home, and the checks with what they look at."""
