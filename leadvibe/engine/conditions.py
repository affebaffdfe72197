"""What a condition means: operators over values, the same everywhere."""
