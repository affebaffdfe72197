"""The functions RQ may call, and the schedule as data."""
