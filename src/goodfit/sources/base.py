"""What every source keeps to: one table as a stream of Arrow batches, types exact, nothing guessed in silence."""

from abc import ABC, abstractmethod

import pyarrow as pa

from goodfit.registry import Registry


class Source(ABC):
    """Where rows come from. Everything but its options it finds out by reading.

    Attributes:
        place: the file, query or data set, as messages name it; never a credential.
    """

    place: str = "the source"

    @abstractmethod
    def read(self) -> pa.RecordBatchReader:
        """Return the rows as batches of normalised Arrow types (see `goodfit.sources.normal`), read lazily.

        Raises:
            ConfigurationError: an option is wrong: no such file, no such variable, a query that fails.
            DataError: what is there cannot be read, or not without changing a value.
            MachineError: no permission, or a driver is not installed.
            ServiceError: a database or an object store does not answer or refuses.
        """

    def fingerprint(self) -> str | None:
        """Return the sha256 of the bytes that were read, once `read` has been consumed; None if there are none."""
        return None


SOURCES: Registry[Source] = Registry("source")
