"""What leads did: events, event types, sessions and the timeline."""
