"""Rules about junctions and their connections."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from geoshare.sources.opendrive.rules.facts import ConnectionFacts, Facts, Fault, RoadFacts, Xy

INCOMING: Final = "asam.net:xodr:1.4.0:junctions.connection.connect_road_no_incoming_road"
ONE_ELEMENT: Final = "asam.net:xodr:1.7.0:junctions.connection.one_connection_element"
ONE_LINK: Final = "asam.net:xodr:1.8.0:junctions.connection.one_link_to_incoming"
ALONG: Final = "asam.net:xodr:1.7.0:junctions.connection.start_along_linkage"
OPPOSITE: Final = "asam.net:xodr:1.7.0:junctions.connection.end_opposite_linkage"
Connections = Iterator[tuple[str, ConnectionFacts]]


def _all(facts: Facts) -> Connections:
    for junction, connections in facts.junctions.items():
        for connection in connections:
            yield junction, connection


def _name(junction: str, connection: ConnectionFacts) -> str:
    return f"junction/{junction}/connection/{connection.incoming}-{connection.connecting}"


def _xy(facts: Facts, connection: ConnectionFacts) -> Xy | None:
    road = facts.roads.get(connection.connecting)
    return None if road is None else road.xy(road.station(connection.contact or "start"))


def incoming_roads(facts: Facts) -> Iterator[Fault]:
    """Roads that connect within a junction come into none."""
    for junction, connection in _all(facts):
        road = facts.roads.get(connection.incoming)
        if road is not None and road.in_junction:
            yield Fault(
                INCOMING,
                "error",
                _name(junction, connection),
                f"Road {road.id} connects roads within a junction and is named as incoming road.",
                f"道路{road.id}は交差点内の接続道路なのに、流入道路として指定されています。",
                _xy(facts, connection),
            )


def one_element(facts: Facts) -> Iterator[Fault]:
    """In 1.7, a connecting road is named by one connection alone."""
    named: defaultdict[str, list[tuple[str, ConnectionFacts]]] = defaultdict(list)
    for junction, connection in _all(facts):
        if connection.connecting:
            named[connection.connecting].append((junction, connection))
    for road, uses in named.items():
        if len(uses) > 1:
            yield Fault(
                ONE_ELEMENT,
                "error",
                f"road/{road}",
                f"Connecting road {road} is named by {len(uses)} connections; one is allowed.",
                f"接続道路{road}が{len(uses)}個のconnectionで使われています。1個だけにしてください。",
                _xy(facts, uses[0][1]),
            )


def contacts(facts: Facts) -> Iterator[Fault]:
    """A connection begins at that end of the connecting road that is linked to the incoming road."""
    for junction, connection in _all(facts):
        road = facts.roads.get(connection.connecting)
        if road is None or connection.contact is None or not connection.incoming:
            continue
        link = road.links.get("predecessor" if connection.contact == "start" else "successor")
        if link is not None and not link.junction and link.id != connection.incoming:
            yield Fault(
                ALONG if connection.contact == "start" else OPPOSITE,
                "error",
                _name(junction, connection),
                f"The connection begins at the {connection.contact} of road {road.id}, which is linked "
                f"to road {link.id} there and not to the incoming road.",
                f"connectionの接続点({connection.contact})で、道路{road.id}は流入道路ではなく"
                f"道路{link.id}に接続されています。",
                _xy(facts, connection),
            )


def one_link(facts: Facts) -> Iterator[Fault]:
    """From 1.8 on: one connection per pair of roads, and lane links in its direction alone."""
    pairs: defaultdict[tuple[str, str], list[tuple[str, ConnectionFacts]]] = defaultdict(list)
    for junction, connection in _all(facts):
        if connection.incoming and connection.connecting:
            pairs[connection.incoming, connection.connecting].append((junction, connection))
        yield from _wrong_way(facts, junction, connection)
    for (incoming, connecting), uses in pairs.items():
        if len(uses) > 1:
            yield Fault(
                ONE_LINK,
                "error",
                _name(*uses[0]),
                f"Roads {incoming} and {connecting} are connected {len(uses)} times; once is allowed.",
                f"道路{incoming}と道路{connecting}のconnectionが{len(uses)}個あります。1個だけにしてください。",
                _xy(facts, uses[0][1]),
            )


def _wrong_way(facts: Facts, junction: str, connection: ConnectionFacts) -> Iterator[Fault]:
    incoming, connecting = facts.roads.get(connection.incoming), facts.roads.get(connection.connecting)
    end = facts.incoming_end(connection)
    if incoming is None or connecting is None or connection.contact is None or end is None:
        return
    home, goal = incoming.section(end), connecting.section(connection.contact)
    if home is None or goal is None:
        return
    for start, target in connection.links:
        first, second = home.lanes.get(start), goal.lanes.get(target)
        if first is None or second is None:
            continue
        into = _towards(incoming, first.id, first.direction, end)
        onwards = _towards(connecting, second.id, second.direction, connection.contact)
        # traffic leaves the incoming road at its end, and so has to enter the connecting road there
        if (into is False and first.direction != "both") or (
            onwards is True and second.direction != "both"
        ):
            yield Fault(
                ONE_LINK,
                "error",
                _name(junction, connection),
                f"Lane link {start} to {target} runs against the direction of traffic.",
                f"laneLink(車線{start}から{target})が通行方向と逆です。",
                _xy(facts, connection),
            )


def _towards(road: RoadFacts, lane: int, direction: str, end: str) -> bool | None:
    """Whether traffic on a lane runs towards an end of its road; None where it runs both ways."""
    if direction == "both":
        return None
    along = (lane < 0) != road.left_hand
    if direction == "reversed":
        along = not along
    return along == (end == "end")
