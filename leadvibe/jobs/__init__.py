"""The background roles: their loops, the functions RQ may call, and the schedule as data."""
