"""Reasons, summed from ledger entries."""
