"""Solar systems as answers show them."""

from api.models.common import Named, System


def system_of(
    system_id: int,
    name: str | None,
    region_id: int | None,
    region_name: str | None,
    security_status: float | None,
) -> System:
    """A system from the columns of `solar_systems` and `regions`, which may know nothing of it."""
    region = None if region_id is None else Named(id=region_id, name=region_name or str(region_id))
    return System(id=system_id, name=name or str(system_id), region=region, security=security_status)
