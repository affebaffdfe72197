"""Signed JSON posts to an address of the customer."""
