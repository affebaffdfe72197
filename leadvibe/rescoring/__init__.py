"""A whole unit gone over again: previews of what a configuration would do, and rescores."""
