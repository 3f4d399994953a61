"""Writers: the town in each contributor's file format."""
