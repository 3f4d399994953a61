"""What is worked out from collections: exposure of roads, people and buildings in an area."""
