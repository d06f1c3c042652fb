"""The errors of BattleScope.

    BattleScopeError
    ├── SettingsError            a setting is missing or wrong: nothing starts
    ├── KillmailError            a killmail that cannot be read: kept with its reason, the feed goes on
    ├── MessageError             a queue message that cannot be read: to the dead-letter queue, with its reason
    ├── FeedError                a feed that cannot be read at all (an unreadable archive, say)
    │   ├── HttpError            no answer (`battlescope.http`)
    │   ├── PositionError        where a feed was read to is not a position of this feed
    │   ├── HistoryUnavailableError  a source of whole days refuses or fails for now (`ingest.history.download`)
    │   └── EsiUnavailableError  ESI refuses or fails for now (`battlescope.esi`)
    ├── QueueError               the queue did not take what it was sent
    ├── DatabaseError            PostgreSQL is away or refuses
    │   └── MigrationError       the schema is not what this version needs
    ├── LabelsError              labelled battles that cannot be read (`cluster.labels`)
    └── LaptopError              something on this machine stands in the way (port, disk, data directory)

Each message names what was wrong, where, and what to do.
"""


class BattleScopeError(Exception):
    """Every error that BattleScope itself raises."""


class SettingsError(BattleScopeError):
    """A setting is missing or wrong."""


class KillmailError(BattleScopeError):
    """A killmail that cannot become a reference."""


class MessageError(BattleScopeError):
    """A queue message that is not one of ours."""


class FeedError(BattleScopeError):
    """A feed that cannot be read."""


class PositionError(FeedError):
    """Where a feed was read to is not a position of this feed: no later attempt would be better."""


class QueueError(BattleScopeError):
    """The queue did not take what it was sent."""


class DatabaseError(BattleScopeError):
    """PostgreSQL is away, or refuses."""


class MigrationError(DatabaseError):
    """The schema of the database is not what this version needs."""


class LaptopError(BattleScopeError):
    """Something on this machine stands in the way."""
