"""Telling people from machines: which events do not count, and why."""
