"""What advertising has cost: by platform, campaign and day, as somebody has reported it."""
