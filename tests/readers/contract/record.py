"""What a run of the contract on real hardware leaves for the records of a laboratory."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version

from ipo_sim.core.events import FeatureKeyInserted, fact_data
from tests.readers.contract.story import Story


class LabRecord:
    """Collects the stories that were told at one reader."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._began = datetime.now(UTC)
        self._stories: list[tuple[str, Story]] = []

    def add(self, test: str, story: Story) -> None:
        self._stories.append((test, story))

    def lines(self, outcomes: Mapping[str, int]) -> Iterator[str]:
        """The record, a line at a time."""
        reader = self._stories[-1][1].reader
        yield f"date      {self._began:%Y-%m-%dT%H:%M:%SZ}"
        yield f"software  ipo-sim {version('ipo-sim')}, Python {platform.python_version()}, {platform.platform()}"
        yield f"reader    {self._address}: {reader.kind}, {reader.name}"
        for card in self._cards():
            yield f"card      {card}"
        yield f"outcome   {', '.join(f'{count} {name}' for name, count in outcomes.items() if count)}"
        yield f"counters  {', '.join(f'{name} {count}' for name, count in reader.counters().items())}"
        yield "Each fact with its milliseconds since the step was asked for:"
        for test, story in self._stories:
            yield from self._story(test, story)

    def _cards(self) -> list[str]:
        cards = [fact for _, story in self._stories for fact in story.facts if isinstance(fact, FeatureKeyInserted)]
        texts = [f"{card.serial}, {card.kind}, {card.identity}, {card.law}, {card.assurance}" for card in cards]
        return list(dict.fromkeys(texts))

    def _story(self, test: str, story: Story) -> Iterator[str]:
        yield test
        for step, told in story.chapters:
            yield f"  {step.name.lower()}"
            for fact, after_s in told:
                data = ", ".join(f"{name} {value}" for name, value in fact_data(fact).items() if value != "")
                yield f"    {after_s * 1000:10.1f} ms  {fact.TYPE}  {data}"
