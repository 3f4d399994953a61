"""Gridded time series: the steps of a forecast, and values at a place over time."""

from geoshare.weather.steps import Steps
from geoshare.weather.values import StepValue, position

__all__ = ["StepValue", "Steps", "position"]
