"""Quick start: from a few answers to a whole way of scoring, which may be applied again."""
