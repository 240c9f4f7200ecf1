"""Which people go into which shard, and what is refused."""

from pathlib import Path

import pytest

from pretrain_synthetic import render_shard
from pretrain_synthetic.__main__ import main
from pretrain_synthetic.render_shard import RenderConfig, render
from pretrain_synthetic.split import numbers_of
from real3d.errors import Real3DError


def test_people_are_split_into_a_row_of_shards():
    config = RenderConfig(Path("a"), out=Path("d/p.npz"), people=7, first=10, shard_people=3)
    numbers = numbers_of("train", seed=0, first=10, people=7)
    assert config.shards() == [
        (Path("d/p_000.npz"), numbers[:3]),
        (Path("d/p_001.npz"), numbers[3:6]),
        (Path("d/p_002.npz"), numbers[6:]),
    ]


def test_one_shard_without_a_split():
    config = RenderConfig(Path("a"), out=Path("p.npz"), people=2)
    assert config.shards() == [(Path("p.npz"), numbers_of("train", 0, 0, 2))]


def test_missing_assets_are_named(tmp_path):
    with pytest.raises(Real3DError, match=r"no body\.npz.*--assets"):
        render(RenderConfig(tmp_path))
    assert main(["render", "--assets", str(tmp_path)]) == 2


def test_senseless_sizes_are_refused(tmp_path):
    with pytest.raises(Real3DError, match="--size is 0"):
        render(RenderConfig(tmp_path, size=0))


def test_workers_render_and_existing_shards_are_kept(assets, studio, tmp_path):
    config = RenderConfig(
        assets.folder, 64, 1, 4, out=tmp_path / "p.npz", people=2, workers=1, shard_people=1
    )
    (tmp_path / "p_000.npz").write_bytes(b"kept")
    paths = render(config)
    assert [p.name for p in paths] == ["p_000.npz", "p_001.npz"]
    assert paths[0].read_bytes() == b"kept"
    assert paths[1].stat().st_size > 10_000


def test_a_person_who_cannot_be_drawn_is_reported_not_raised(monkeypatch):
    class Closed:
        def film(self, seed: int, number: int) -> None:
            raise ValueError(f"no head {number}")

    monkeypatch.setattr(render_shard, "_studio", Closed())
    clip, reason = render_shard._film((0, 7))
    assert clip is None
    assert "no head 7" in reason
