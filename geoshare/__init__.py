"""geoshare: one shared map of many contributors, served to each consumer by its contract."""

__version__ = "0.1.0"
