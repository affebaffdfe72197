"""One module per way to reach somebody; none knows another."""
