"""Sources: where the table comes from. A member is one file here and one line below."""

from typing import TYPE_CHECKING

from goodfit.registry import Section
from goodfit.sources.base import SOURCES, Source
from goodfit.sources.csv import Csv
from goodfit.sources.excel import Excel
from goodfit.sources.ingest import Ingested, ingest
from goodfit.sources.jsonl import JsonLines
from goodfit.sources.parquet import Parquet
from goodfit.sources.rdatasets import RDatasets
from goodfit.sources.sklearn import Sklearn
from goodfit.sources.sql import Sql

if TYPE_CHECKING:
    SourceSection = Section
else:
    SourceSection = SOURCES.section()

__all__ = [
    "SOURCES",
    "Csv",
    "Excel",
    "Ingested",
    "JsonLines",
    "Parquet",
    "RDatasets",
    "Sklearn",
    "Source",
    "SourceSection",
    "Sql",
    "ingest",
]
