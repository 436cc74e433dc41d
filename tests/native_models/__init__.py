"""Whole models of other projects against LiteRT's reference kernels."""
