"""Requests at random, over every route: what is asked depends on the seed and on earlier answers alone.

Each area of the application has a module with its ``ASKERS``: an entry for every rule and method.
One that lacks it fails the suite. Names of visible, hidden and missing collections, columns, values
and features are mixed, so that a difference between hidden and missing shows.
"""

from tests.leaks.asking.consumers import Asker, Onlooker
from tests.leaks.asking.routes import AREAS, ASKERS

__all__ = ["AREAS", "ASKERS", "Asker", "Onlooker"]
