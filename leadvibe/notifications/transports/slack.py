"""Messages to Slack channels and people."""
