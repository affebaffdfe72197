"""The session multiplier: how a burst of interest raises what each event is worth."""
