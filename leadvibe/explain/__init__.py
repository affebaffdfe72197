"""The reasons behind a score, read from the ledger. Owns no tables."""
