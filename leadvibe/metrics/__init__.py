"""Figures about the work itself: analytics, usage, Prometheus series and the live stream."""
