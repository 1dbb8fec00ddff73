"""Every address, as everybody: answers, errors, browsers."""
