"""HTML for members: one file per noun; pages are rendered on the server and refreshed by htmx."""
