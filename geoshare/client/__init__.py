"""A small Python client of a geoshare server: features, changes, copies, extracts, contributions.

>>> from geoshare.client import Client
>>> client = Client("https://map.example.jp", key="...")          # doctest: +SKIP
>>> frame = client.frame("lanes", bbox=(139.7, 35.6, 139.8, 35.7))  # doctest: +SKIP
"""

from geoshare.client.client import Changes, Client, Copied
from geoshare.client.http import ClientError

__all__ = ["Changes", "Client", "ClientError", "Copied"]
