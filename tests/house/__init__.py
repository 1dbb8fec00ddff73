"""The house itself: arrows, sizes, words, README."""
