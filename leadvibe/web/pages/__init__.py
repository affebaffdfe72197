"""Frozen view models: all a template may know, already arranged for display."""
