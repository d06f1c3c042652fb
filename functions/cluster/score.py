"""How well our battles and sides agree with somebody else's, in the measures that clusterings are compared by.

Two killmails (or two affiliations of a battle) are together or apart in the labels, and together or apart with us. Of the
pairs that we have together, precision is the share that the labels have together too; recall is the reverse; F1 their
harmonic mean. The adjusted Rand index is 1 for the same grouping and 0 for what chance would give (Hubert and Arabie,
1985). What belongs to no battle, or to no side, is together with nothing.
"""

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from cluster.labels import Labels, read_labels

__all__ = ["Agreement", "Labels", "Score", "read_labels", "score"]

THIRD_PARTY = "0"


@dataclass(frozen=True, slots=True)
class Agreement:
    """Counts of pairs, which add up over groups that are compared on their own.

    Attributes:
        items: what was compared.
        labelled: pairs that the labels have together.
        ours: pairs that we have together.
        both: pairs that both have together.
        chance: of these, as many as chance would give.
    """

    items: int = 0
    labelled: int = 0
    ours: int = 0
    both: int = 0
    chance: float = 0.0

    @classmethod
    def of(cls, groups: Iterable[tuple[Hashable, Hashable]]) -> "Agreement":
        """The agreement on items, each given with the labels' group of it and ours; None is a group of its own."""
        items = [
            (("alone", number) if labelled is None else labelled, ("alone", number) if ours is None else ours)
            for number, (labelled, ours) in enumerate(groups)
        ]
        labelled = _pairs(Counter(one for one, _ in items))
        ours = _pairs(Counter(other for _, other in items))
        every = len(items) * (len(items) - 1) // 2
        return cls(
            items=len(items),
            labelled=labelled,
            ours=ours,
            both=_pairs(Counter(items)),
            chance=labelled * ours / every if every else 0.0,
        )

    def __add__(self, other: "Agreement") -> "Agreement":
        """Both together."""
        return Agreement(
            self.items + other.items,
            self.labelled + other.labelled,
            self.ours + other.ours,
            self.both + other.both,
            self.chance + other.chance,
        )

    @property
    def adjusted_rand_index(self) -> float:
        """1 for the same grouping, 0 for chance."""
        most = (self.labelled + self.ours) / 2
        return (self.both - self.chance) / (most - self.chance) if most != self.chance else 1.0

    @property
    def precision(self) -> float:
        """Of the pairs that we have together, the share that the labels have together."""
        return self.both / self.ours if self.ours else 1.0

    @property
    def recall(self) -> float:
        """Of the pairs that the labels have together, the share that we have together."""
        return self.both / self.labelled if self.labelled else 1.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0

    def __str__(self) -> str:
        """The four measures in columns."""
        return f"{self.adjusted_rand_index:>15.4f}{self.precision:>11.4f}{self.recall:>9.4f}{self.f1:>9.4f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The agreement on battles, and on the sides of those battles whose sides are labelled.

    Attributes:
        killmails: compared.
        unread: labelled killmails that we have not read, and so left out.
        sides: None where the labels have no sides.
    """

    battles: Agreement
    sides: Agreement | None
    unread: int

    def __str__(self) -> str:
        """As the command prints it."""
        lines = [
            f"{self.battles.items} labelled killmails compared, {self.unread} more are not in what was read",
            f"{'':8}{'adjusted Rand':>15}{'precision':>11}{'recall':>9}{'F1':>9}",
            f"{'battles':8}{self.battles}",
        ]
        if self.sides is not None:
            lines.append(f"{'sides':8}{self.sides}   ({self.sides.items} affiliations)")
        return "\n".join(lines)


def score(
    labels: Labels,
    battles: Mapping[UUID, Iterable[int]],
    sides: Mapping[UUID, Mapping[int, int]],
    known: Collection[int] | None = None,
) -> Score:
    """Compare our battles and sides with the labels.

    Args:
        labels: somebody else's.
        battles: our battles and the killmails in each.
        sides: our battles, and in each affiliation -> its side, 0 for third parties.
        known: all killmails that were read, in a battle or not; labelled ones that are not among them are left out.
            None: all labelled ones were read.
    """
    ours = {killmail: battle for battle, members in battles.items() for killmail in members}
    read = {
        killmail: battle for killmail, battle in labels.battles.items() if known is None or killmail in known
    }
    return Score(
        battles=Agreement.of((battle, ours.get(killmail)) for killmail, battle in read.items()),
        sides=_sides(labels, read, ours, sides) if labels.sides else None,
        unread=len(labels.battles) - len(read),
    )


def _sides(
    labels: Labels,
    read: Mapping[int, str | None],
    ours: Mapping[int, UUID],
    sides: Mapping[UUID, Mapping[int, int]],
) -> Agreement:
    """Battle by battle, each beside the one of ours that holds the most of its killmails."""
    held: dict[str, Counter[UUID]] = {}
    for killmail, battle in read.items():
        if battle in labels.sides and killmail in ours:
            held.setdefault(battle, Counter())[ours[killmail]] += 1
    agreement = Agreement()
    for battle, labelled in labels.sides.items():
        if battle not in held:
            continue
        most = max(held[battle].items(), key=lambda item: (item[1], str(item[0])))[0]
        found = sides.get(most, {})
        agreement += Agreement.of(
            (None if side == THIRD_PARTY else side, found.get(affiliation) or None)
            for affiliation, side in labelled.items()
        )
    return agreement


def _pairs(groups: Counter[Hashable] | Counter[tuple[Hashable, Hashable]]) -> int:
    return sum(size * (size - 1) // 2 for size in groups.values())
