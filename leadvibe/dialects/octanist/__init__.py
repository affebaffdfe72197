"""The Octanist lead API."""
