"""Named audiences: conditions that leads meet now."""
