import dataclasses
import re
import unicodedata
from collections import Counter
from pathlib import Path

from stylegan_latents import generator, invert
from stylegan_latents.invert.commands.settings import Settings, Shard
from stylegan_latents.invert.inverters.options import InverterOptions


def test_shards_are_disjoint_complete_and_about_equal() -> None:
    shards = [Shard(number, 16) for number in range(1, 17)]
    for pattern in ("{:05d}", "IMG_{}", "person {} (copy)"):
        names = [pattern.format(number) for number in range(10_000)]
        held = {name: [shard.number for shard in shards if shard.holds(name)] for name in names}
        assert all(len(numbers) == 1 for numbers in held.values())
        counts = Counter(numbers[0] for numbers in held.values())
        assert len(counts) == 16
        assert max(counts.values()) <= 1.2 * 10_000 / 16


def test_a_name_is_in_the_same_shard_on_every_system() -> None:
    assert [number for number in range(1, 17) if Shard(number, 16).holds("me")] == [14]
    for count in (2, 16, 1000):
        spelled = [unicodedata.normalize(form, "Zoë") for form in ("NFC", "NFD")]
        first, second = ([n for n in range(1, count + 1) if Shard(n, count).holds(name)] for name in spelled)
        assert first == second


def test_tables_of_shards_sort_by_number() -> None:
    names = [Shard(number, 16).own_file(Path("out/table.csv")).name for number in (1, 16)]
    assert names == ["table.01-of-16.csv", "table.16-of-16.csv"]


def test_every_option_is_read_by_the_command_or_handed_to_the_inverters() -> None:
    folders = [Path(package.__file__).parent for package in (invert, generator)]  # the latter has shared options
    sources = "".join(path.read_text(encoding="utf-8") for folder in folders for path in folder.rglob("*.py"))
    handed_on = {field.name for field in dataclasses.fields(InverterOptions)}
    for name in {field.name for field in dataclasses.fields(Settings)} - handed_on:
        assert re.search(rf"(settings|self)\.{name}\b", sources), f"--{name} is accepted and does nothing"
