"""An alliance, a corporation, a character or a solar system, as battles tell of it."""

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response

from api.answers import Written, write
from api.formats import JSON
from api.hot import remembered
from api.models.profiles import PROFILE, SYSTEM_PROFILE, Profile, SystemProfile
from api.parameters import AllianceId, CharacterId, CorporationId, NoQuery, SystemId
from api.problems import not_found
from api.queries.profiles import EntityKind, profile_of
from api.queries.system_profiles import system_profile_of
from api.reader import Reader
from api.routes.dependencies import AS_JSON, Reads, context_of

if TYPE_CHECKING:
    from battlescope.database import Database

router = APIRouter(tags=["entities"], dependencies=AS_JSON)

PROFILE_CACHING = "public, max-age=60"


@router.get("/alliances/{id}")
def get_alliance(request: Request, reader: Reads, alliance_id: AllianceId, _: NoQuery) -> Response:
    """An alliance: how often it was in battles and when, over all time, and what it did in the latest of them.

    Kills, losses, ISK, opponents, friends, ships and systems are of `recent` only: its latest 200 battles, or fewer where
    these hold more than 2,000 killmails. `recent` says how many, and from when to when.
    """
    return _profile(request, reader, "alliance", alliance_id)


@router.get("/corporations/{id}")
def get_corporation(request: Request, reader: Reads, corporation_id: CorporationId, _: NoQuery) -> Response:
    """A corporation: how often it was in battles and when, over all time, and what it did in the latest of them.

    Kills, losses, ISK, opponents, friends, ships and systems are of `recent` only: its latest 200 battles, or fewer where
    these hold more than 2,000 killmails. `recent` says how many, and from when to when.
    """
    return _profile(request, reader, "corporation", corporation_id)


@router.get("/characters/{id}")
def get_character(request: Request, reader: Reads, character_id: CharacterId, _: NoQuery) -> Response:
    """A character: how often it was in battles and when, over all time, and what it did in the latest of them.

    Kills, losses, ISK, opponents, friends, ships and systems are of `recent` only: its latest 200 battles, or fewer where
    these hold more than 2,000 killmails. `recent` says how many, and from when to when.
    """
    return _profile(request, reader, "character", character_id)


@router.get("/systems/{id}")
def get_system(request: Request, reader: Reads, system_id: SystemId, _: NoQuery) -> Response:
    """A solar system: how many battles it saw and when, over all time, and what happened in the latest of them.

    Kills, ISK and visitors are of `recent` only: its latest 200 battles.
    """

    def make() -> Written:
        profile = reader.read(lambda connection: read_system(connection, system_id))
        return write(request, SYSTEM_PROFILE.dump_json(profile), PROFILE_CACHING)

    return remembered(context_of(request).hot, request, JSON, make)


def _profile(request: Request, reader: Reader, kind: EntityKind, entity_id: int) -> Response:
    def make() -> Written:
        profile = reader.read(lambda connection: read_profile(connection, kind, entity_id))
        return write(request, PROFILE.dump_json(profile), PROFILE_CACHING)

    return remembered(context_of(request).hot, request, JSON, make)


def read_profile(connection: "Database", kind: EntityKind, entity_id: int) -> Profile:
    """What battles tell of an alliance, a corporation or a character.

    Raises:
        ProblemError: no battle was seen with it.
    """
    profile = profile_of(connection, kind, entity_id)
    if profile is None:
        raise not_found(f"no battle with the {kind} {entity_id} was seen")
    return profile


def read_system(connection: "Database", system_id: int) -> SystemProfile:
    """What battles tell of a solar system.

    Raises:
        ProblemError: there is no such system, or it is not known yet.
    """
    profile = system_profile_of(connection, system_id)
    if profile is None:
        raise not_found(f"no solar system with the id {system_id} is known")
    return profile
