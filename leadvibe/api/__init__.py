"""The JSON API. A front end only translates: it parses, calls a capability and serialises."""
