"""Frames from files and generators."""
