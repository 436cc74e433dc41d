"""Differential tests of single ops against LiteRT's reference kernels."""
