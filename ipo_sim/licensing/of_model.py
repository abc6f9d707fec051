"""The licences as one model knows them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from ipo_sim.catalogue.types import Catalogue, LicenceType


@lru_cache(maxsize=64)
def licences_of(catalogue: Catalogue, model: str) -> Mapping[int, LicenceType]:
    """Licences by code; a prerequisite of which the model uses no licence is left out, for nobody could meet it."""
    if all(model in kind.models for kind in catalogue.licences.values()):
        return catalogue.licences
    return MappingProxyType({code: _kind(catalogue, model, kind) for code, kind in catalogue.licences.items()})


def _kind(catalogue: Catalogue, model: str, kind: LicenceType) -> LicenceType:
    by_name = catalogue.licences_by_name
    needed = tuple(sets for sets in kind.prerequisites if any(model in by_name[name].models for name in sets))
    return kind if needed == kind.prerequisites else kind._replace(prerequisites=needed)
