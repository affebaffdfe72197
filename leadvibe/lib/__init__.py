"""Mechanisms without a business word: database, queue, clock, ids, paging, embedded servers."""
