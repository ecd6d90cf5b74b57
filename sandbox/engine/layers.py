"""A function's layers merged into the one folder that Lambda would mount at /opt."""

from pathlib import Path


def merged(layers: list[Path], target: Path) -> Path:
    """`target`, holding links to what the layers hold; where two hold the same file, the later layer wins."""
    target.mkdir(parents=True, exist_ok=True)
    names = sorted({entry.name for layer in layers for entry in layer.iterdir()})
    for name in names:
        holders = [layer / name for layer in layers if (layer / name).exists()]
        # A folder that only one layer has is linked whole: no walk through thousands of files.
        if len(holders) > 1 and all(holder.is_dir() for holder in holders):
            merged(holders, target / name)
        else:
            (target / name).symlink_to(holders[-1].resolve())
    return target
