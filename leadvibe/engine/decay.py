"""Points that fade with inactivity."""
