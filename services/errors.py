"""The errors a person reads: each names its subject, what was found, and what to do."""

from __future__ import annotations


class RondaError(Exception):
    """Something went wrong that a person can mend. The message says where, what and how.

    `exit_code` is what the command line ends with: 1 when the data or a service outside is at fault,
    2 when the call or the configuration is.
    """

    exit_code = 1


class UsageError(RondaError):
    """The command was called with something it cannot work with."""

    exit_code = 2


class ServiceFileError(RondaError):
    """A service file (or a query it names) is wrong: file, key path, what was found, what is right."""

    exit_code = 2


class SourceError(RondaError):
    """The service's source cannot be reached, or a table, column or type in it is not as declared."""

    exit_code = 2


class NightError(RondaError):
    """A night cannot be judged: it is empty, not over yet, or its rows do not add up."""


class NightNotOverError(NightError):
    """A night was asked for before its end."""


class ReferenceMissingError(RondaError):
    """There is no reference for the service and model version that a night would be compared with."""

    exit_code = 2


class ReferenceFrozenError(RondaError):
    """A reference exists already and holds other data; replacing it takes a reason."""

    exit_code = 2


class StateError(RondaError):
    """The state database or the lake cannot be read or written, or does not hold what it recorded."""
