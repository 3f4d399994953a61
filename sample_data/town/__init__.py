"""The town itself: land, water, streets, houses, lanes, rain and people, in local metres."""
