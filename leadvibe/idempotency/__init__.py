"""What was answered to requests that carry a key, so that a repetition does nothing again."""
