"""Scoring as a pure function of facts, configuration and time. No database, clock or network."""
