"""The append-only record of requests that change something, and of sign-ins."""
