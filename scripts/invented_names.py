"""Names for a simulated New Eden: of nobody who plays, the same for the same id."""

_FIRST = (
    "Ashen Amber Boreal Cinder Crimson Distant Ebon Ember Fallen Feral Gilded Glass Hollow Iron Ivory Jade Lunar Mercury "
    "Midnight Northern Obsidian Pale Quiet Radiant Rogue Sable Scarlet Silent Silver Solar Storm Vesper Violet Winter"
).split()
_SECOND = (
    "Accord Armada Assembly Banner Bastion Cartel Coalition Company Compact Concord Crown Dominion Embassy Fleet "
    "Frontier Guild Horizon Legion Meridian Order Pact Reach Republic Sanctum Sovereignty Syndicate Union Vanguard Watch"
).split()
_CORPORATIONS = (
    "Astronautics Dynamics Foundries Freight Holdings Industries Logistics Mining Outfitters Prospecting Recoveries "
    "Research Salvage Security Shipyards Trading Ventures Works"
).split()
_GIVEN = (
    "Adara Aleks Bran Caia Corvin Dario Elva Fenn Gavril Hana Ilya Jora Kael Lira Marek Nadia Orin Petra Quill Rhea "
    "Soren Tamsin Ulric Vela Wren Xan Yara Zeno"
).split()
_FAMILY = (
    "Aldane Brightwater Castellan Dray Estermont Farrow Greymark Hallow Ironside Jarrow Kestrel Lockhart Marrow "
    "Nightingale Oakes Pryce Quarry Ravel Sterling Thorne Umber Vance Wolfe Yarrow Zale"
).split()


def invented_name(kind: str, id_: int) -> str:
    """A name for an alliance, a corporation or a character."""
    number = id_ * 2_654_435_761 % 2**32
    if kind == "alliance":
        return f"{_pick(_FIRST, number)} {_pick(_SECOND, number // 64)}"
    if kind == "corporation":
        return f"{_pick(_FAMILY, number)} {_pick(_CORPORATIONS, number // 32)}"
    return f"{_pick(_GIVEN, number)} {_pick(_FAMILY, number // 32)}"


def _pick(names: list[str], number: int) -> str:
    return names[number % len(names)]
