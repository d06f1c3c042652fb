"""The settings of clustering, in the units that the engine works in."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from battlescope.settings import ClusterRules, LinkRule

EDITION = 2
"""Goes up with every change of the engine that makes something else of the same killmails under the same settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What makes a battle.

    Attributes:
        link_rule: `correlated` links two killmails of one system that are at most `gap_max_s` apart and share a
            party. `contiguous` links them when they are at most `gap_max_s` apart, or at most `window_s` apart
            and share a party.
        min_kills: losses that a component needs.
        fold_pods: whether a pod is no loss of its own where its character lost a ship in the same component at
            or before its time.
    """

    gap_max_s: int = 15 * 60
    window_s: int = 30 * 60
    link_rule: "LinkRule" = "correlated"
    min_kills: int = 2
    fold_pods: bool = True

    @classmethod
    def of(cls, settings: "ClusterRules") -> Self:
        """The rules that the environment asks for."""
        return cls(
            gap_max_s=settings.gap_max_minutes * 60,
            window_s=settings.window_minutes * 60,
            link_rule=settings.link_rule,
            min_kills=settings.min_kills,
            fold_pods=settings.fold_pods,
        )

    @property
    def party_reach_s(self) -> int:
        """How far apart two killmails that share a party are linked."""
        return self.gap_max_s if self.link_rule == "correlated" else self.window_s

    @property
    def any_reach_s(self) -> int | None:
        """How far apart two killmails are linked whoever was on them; None: never."""
        return None if self.link_rule == "correlated" else self.gap_max_s

    @property
    def reach_s(self) -> int:
        """How far apart two linked killmails can be at most."""
        return max(self.party_reach_s, self.any_reach_s or 0)

    @property
    def fingerprint(self) -> str:
        """The same for rules that make the same battles of the same killmails, and else another one."""
        return (
            f"edition={EDITION} link_rule={self.link_rule} party_reach_s={self.party_reach_s}"
            f" any_reach_s={self.any_reach_s} min_kills={self.min_kills} fold_pods={self.fold_pods}"
        )
