"""Flask-aware helpers shared by the HTTP surfaces: principal, permissions, headers, the edge."""
