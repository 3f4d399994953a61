"""Geometry: convert, clip, quantise, simplify and repair, on flat arrays."""
