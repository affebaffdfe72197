"""Named views of the lead list, and the columns that each member has chosen for it."""
