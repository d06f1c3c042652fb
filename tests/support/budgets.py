"""How long there is time, for what works until that runs out."""


def ample() -> float:
    """More than any test takes, in seconds."""
    return 60.0
