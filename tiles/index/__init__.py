"""Finding rows by place: Hilbert order and the packed R-tree laid over it."""
