"""OGC API Processes (18-062r2): what can be worked out from the caller's views, answered at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import orjson
from flask import Blueprint, Response, g
from pydantic import BaseModel, ConfigDict, Field

from geoshare.access.credentials import Principal
from geoshare.api import reply
from geoshare.api.bodies import content, read_as
from geoshare.api.context import caller, href, services
from geoshare.api.describe import NoParams, describes
from geoshare.api.landing import OGC_REL
from geoshare.derive.requests import AreaInputs, DifferenceInputs, Inputs, RoadInputs
from geoshare.derive.sheet import XLSX, write_sheet
from geoshare.errors import BadRequest, NotFound
from geoshare.services import Services
from geoshare.services.differing import compare_seen, picture_of_said

blueprint = Blueprint("processes", __name__)

TAGS = ("processes",)
JSON: Final = "application/json"
PNG: Final = "image/png"
SUFFIXES: Final = {XLSX: ".xlsx", PNG: ".png"}
MAX_BODY: Final = 1_000_000
VERSION: Final = "1.0.0"
Result = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Process:
    """One process: what it is called, what it takes, and what works it out.

    ``formats`` are the media types of its one output, ``result``, and how each but JSON is written;
    ``reads`` names the collections that its answers tell of, for the log.
    """

    title: str
    title_ja: str
    description: str
    description_ja: str
    inputs: type[Inputs]
    run: Callable[[Services, Principal, Any], Result]
    reads: tuple[str, ...]
    formats: dict[str, Callable[[Result], bytes]]


PROCESSES: Final[dict[str, Process]] = {
    "area-summary": Process(
        "People and buildings in an area",
        "区域内の人口・建物",
        "An estimate of people, households and buildings in an area by class of a hazard. Withheld and "
        "missing figures are told as such, and never as zero; outside the zones does not mean safe.",
        "区域内の人口・世帯・建物を、災害の区分ごとに推計します。秘匿値や欠測は0として扱いません。",
        AreaInputs,
        lambda services, who, said: services.deciding.area_summary(who, said),
        ("statistics", "buildings", "hazard_zones"),
        {XLSX: write_sheet},
    ),
    "road-exposure": Process(
        "Exposure of a road",
        "道路の被災想定",
        "Hazard zones that a road lies in by kind, scenario, class and share of its length; closures "
        "on it, its structures, and the rain there. What the caller's data does not tell is unknown.",
        "道路が入る災害想定区域を種類・想定・区分ごとに長さの割合で示し、規制・構造物・雨量も示します。",
        RoadInputs,
        lambda services, who, said: services.deciding.road_exposure(who, said),
        ("segments", "hazard_zones", "events"),
        {},
    ),
    "difference": Process(
        "What changed between two times",
        "二時点間の変更",
        "What came, went, was moved beyond a stated accuracy, or changed in height, attributes or "
        "topology in a box of a collection, between two times as you were shown them: as GeoJSON, or "
        "as a picture.",
        "コレクションの範囲内で、二つの時点の間に追加・削除・移動・高さや属性の変更があった地物を示します。",
        DifferenceInputs,
        compare_seen,
        (),
        {PNG: picture_of_said},
    ),
}


class Format(BaseModel):
    """The media type of an output."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    media: Annotated[str, Field(max_length=100)] = Field(
        default=JSON, alias="mediaType", description=f"{JSON}, or another one of the process"
    )


class Output(BaseModel):
    """How an output is wanted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Format = Field(default_factory=Format, description="The media type")
    mode: Literal["value"] = Field(default="value", alias="transmissionMode", description="value")


class Outputs(BaseModel):
    """The outputs that are wanted: there is one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    result: Output = Field(default_factory=Output, description="What the process works out")


class Execute(BaseModel):
    """A request to execute a process."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    inputs: dict[str, Any] = Field(
        ..., description="The inputs that the description of the process names"
    )
    outputs: Outputs = Field(Outputs(), description="The format of the output; JSON if left out")
    response: Literal["raw", "document"] = Field("raw", description="raw or document")


@blueprint.get("/processes")
@describes("What can be worked out here", tags=TAGS)
def processes(params: NoParams) -> Response:
    """The same for everybody: what comes out depends on what the caller sees."""
    listed = [_summary(name, process) for name, process in PROCESSES.items()]
    links = [{"rel": "self", "type": JSON, "href": href("processes")}]
    return reply.json({"processes": listed, "links": links})


@blueprint.get("/processes/<process>")
@describes("A process: its inputs and outputs", tags=TAGS)
def described(params: NoParams, process: str) -> Response:
    """With the schema of each input."""
    about = _process(process)
    schema = about.inputs.model_json_schema()
    needed = set(schema.get("required", ()))
    inputs = {
        name: {
            "title": name,
            "description": part.get("description", ""),
            "schema": {
                key: value for key, value in part.items() if key not in ("title", "description")
            },
            "minOccurs": int(name in needed),
            "maxOccurs": 1,
        }
        for name, part in schema["properties"].items()
    }
    kinds = [{"type": "object", "contentMediaType": JSON}] + [
        {"type": "string", "contentEncoding": "binary", "contentMediaType": kind}
        for kind in about.formats
    ]
    outputs = {
        "result": {"title": about.title, "schema": {"oneOf": kinds} if about.formats else kinds[0]}
    }
    return reply.json(_summary(process, about) | {"inputs": inputs, "outputs": outputs})


@blueprint.post("/processes/<process>/execution")
@describes("Execute a process", answers={200: (JSON, "Its result")}, body=Execute, tags=TAGS)
def execute(params: NoParams, process: str) -> Response:
    """Answered at once, from the caller's view of now."""
    about = _process(process)
    wanted = read_as(Execute, content(MAX_BODY))
    kind = _kind(about, wanted)
    inputs = read_as(about.inputs, orjson.dumps(wanted.inputs))
    found = about.run(services(), caller(), inputs)
    reads = (*about.reads, *([inputs.collection] if isinstance(inputs, DifferenceInputs) else ()))
    g.named = ",".join(name for name in reads if name in services().visible(caller()))
    if kind != JSON:
        answer = reply.body(about.formats[kind](found), kind)
        answer.headers["Content-Disposition"] = f"attachment; filename={process}{SUFFIXES[kind]}"
        return answer
    return reply.json({"result": found} if wanted.response == "document" else found)


def _process(name: str) -> Process:
    if name not in PROCESSES:
        raise NotFound("No such process")
    return PROCESSES[name]


def _kind(about: Process, wanted: Execute) -> str:
    """The media type that is wanted, if the process has it."""
    kind = wanted.outputs.result.format.media
    if kind != JSON and (kind not in about.formats or wanted.response == "document"):
        allowed = [JSON] if wanted.response == "document" else [JSON, *about.formats]
        raise BadRequest("The format is not available", parameter="outputs", allowed=", ".join(allowed))
    return kind


def _summary(name: str, about: Process) -> dict[str, Any]:
    links = [
        {"rel": "self", "type": JSON, "href": href("processes", name)},
        {"rel": f"{OGC_REL}execute", "type": JSON, "href": href("processes", name, "execution")},
    ]
    return {
        "id": name,
        "version": VERSION,
        "title": about.title,
        "title_ja": about.title_ja,
        "description": about.description,
        "description_ja": about.description_ja,
        "jobControlOptions": ["sync-execute"],
        "outputTransmission": ["value"],
        "links": links,
    }
