"""Points for the company a lead belongs to."""
