"""Telling people and systems: channels, deliveries and their transports."""
