"""A small synthetic town in the formats people really send, and the program that draws it."""
