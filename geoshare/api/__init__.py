"""HTTP: one file per resource family. A handler parses, asks, encodes and replies."""
