"""Patterns and sequences over a lead's events."""
