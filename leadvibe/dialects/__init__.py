"""Lead APIs of other products, served over the same leads."""
