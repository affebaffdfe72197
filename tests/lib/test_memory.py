"""How much memory there is, and what PostgreSQL takes of it."""

from __future__ import annotations

import pytest

from leadvibe.lib import memory
from leadvibe.lib.embedded.postgres import memory_settings

GIB = 1 << 30


def test_a_container_may_use_no_more_than_it_is_given(monkeypatch, tmp_path):
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(memory, "LIMITS", (limit, tmp_path / "missing"))
    machine = memory.available_bytes()

    limit.write_text("67108864\n")
    assert memory.available_bytes() == 64 << 20
    for unlimited in ("max\n", str(1 << 62)):
        limit.write_text(unlimited)
        assert memory.available_bytes() == machine > 64 << 20


@pytest.mark.parametrize(
    ("available", "shared"), [(GIB // 2, "128MB"), (4 * GIB, "512MB"), (64 * GIB, "1024MB")]
)
def test_postgres_shares_an_eighth_of_the_memory(available, shared):
    assert memory_settings(available)["shared_buffers"] == shared
