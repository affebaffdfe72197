"""CSV imports, backfills and sample data: many events at once, through the one way in."""
