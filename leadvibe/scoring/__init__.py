"""Rulesets, levels, config versions, scores and the ledger they are sums of."""
