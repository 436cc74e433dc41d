"""Hostile and damaged model files."""
