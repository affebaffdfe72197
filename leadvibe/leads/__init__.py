"""Who leads are: identities, aliases, metadata and accounts."""
