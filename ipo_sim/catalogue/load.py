"""The catalogue, loaded from the package's data files once for each process."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from types import MappingProxyType

from ipo_sim.catalogue import dect, faults, hardware, licences
from ipo_sim.catalogue.source import Cell, read, share
from ipo_sim.catalogue.types import Catalogue


@lru_cache(maxsize=1)
def load_catalogue() -> Catalogue:
    """All rows of the data files, checked and frozen; CatalogueError names file, line and row of the first mistake."""
    return build_catalogue(read)


def build_catalogue(source: Callable[[str], Cell]) -> Catalogue:
    """The catalogue of the seven data files that `source` gives by name."""
    with source("hardware.yaml").row() as root:
        models = hardware.read_models(root.take("models"))
        profiles = share(tuple(dict.fromkeys(name for model in models.values() for name in model.release_profiles)))
        parts = hardware.read_parts(root, models, profiles)
        patterns = hardware.read_led_patterns(root.take("led_patterns"))
        leds = hardware.read_leds(root.take("leds"), patterns)
        alarms = hardware.read_alarms(root.take("alarms"))
    by_name = licences.read_licences(source("licences.yaml"), models, profiles, parts)
    own_rules = share(tuple(name for model in models.values() for name in model.edition_profiles.values()))
    editions = licences.read_editions(source("editions.yaml"), share((*profiles, *dict.fromkeys(own_rules))), by_name)
    pools = licences.read_pools(source("pools.yaml"), profiles, by_name)
    return Catalogue(
        models=MappingProxyType(models),
        parts=MappingProxyType(parts),
        licences=MappingProxyType({licence.code: licence for licence in by_name.values()}),
        licences_by_name=MappingProxyType(by_name),
        licences_by_feature=MappingProxyType(licences.by_feature(by_name.values())),
        editions=MappingProxyType(editions),
        pools=MappingProxyType(pools),
        timings=hardware.read_timings(source("timings.yaml")),
        dect=dect.read_dect(source("dect.yaml")),
        leds=MappingProxyType(leds),
        led_patterns=MappingProxyType(patterns),
        alarms=MappingProxyType(alarms),
        faults=MappingProxyType(faults.read_faults(source("faults.yaml"))),
    )
