"""Ops that LiteRT does not have or computes in another way, written down once more in numpy and integers."""
