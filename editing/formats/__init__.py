"""Readers of the files that other projects keep directions in."""
