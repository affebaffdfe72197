"""Flask-aware helpers that every HTTP surface shares: who is asking, what they may do, request ids."""
