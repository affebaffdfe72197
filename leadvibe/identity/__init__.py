"""Organisations, their units, members, credentials: who is asking, and for which unit."""
