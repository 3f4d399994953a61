"""The vocabulary every room speaks: collections, batches, reports, policies. Imports no room."""
