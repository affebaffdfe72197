"""Cards to Microsoft Teams."""
