"""The one searchable, sortable, paged list of leads. Owns no tables."""
