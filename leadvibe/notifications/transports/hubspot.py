"""Contact properties kept up to date in HubSpot."""
