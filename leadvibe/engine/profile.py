"""Points for who a lead is."""
