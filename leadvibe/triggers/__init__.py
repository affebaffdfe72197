"""Patterns, milestones, sequences and surges that call for attention."""
