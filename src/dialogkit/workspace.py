"""A workspace: the folder with `dialogkit.toml`, and where everything of it lies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dialogkit.config import FILE_NAME, Config, read_config
from dialogkit.errors import ConfigError


@dataclass(frozen=True)
class Workspace:
    """The paths of one workspace and its settings."""

    root: Path
    config: Config

    @property
    def validations(self) -> Path:
        """Rules of people: `<form_id>.toml`."""
        return self.root / "validations"

    @property
    def corrections(self) -> Path:
        """The ledger of each form: `<form_id>.csv`. It holds answers."""
        return self.root / "corrections"

    @property
    def warehouse(self) -> Path:
        """The DuckDB file that landings write."""
        return self.root / "warehouse" / "dialogkit.duckdb"

    @property
    def batches(self) -> Path:
        """One folder a form, in it one folder a batch."""
        return self.root / "warehouse" / "batches"

    @property
    def snapshots(self) -> Path:
        """Read-only copies for analysts."""
        return self.root / "warehouse" / "snapshots"

    @property
    def versions(self) -> Path:
        """Every form version that was ever served or landed, as JSON and XForm."""
        return self.root / "warehouse" / "versions"

    @property
    def server(self) -> Path:
        """What the embedded server keeps: keys and received submissions."""
        return self.root / "server"

    @property
    def releases(self) -> Path:
        """Published extracts, one dated folder each."""
        return self.root / "releases"

    def form_file(self, form_id: str) -> Path:
        """The workbook of a form.

        Raises:
            ConfigError: no form of this id is named in `dialogkit.toml`.
        """
        form = self.config.forms.get(form_id)
        if form is None:
            known = ", ".join(sorted(self.config.forms)) or "none yet"
            raise ConfigError(
                "CONFIG-005",
                f"{FILE_NAME}, [forms]",
                f"There is no form named {form_id}. Forms of this workspace: {known}.",
                f'Correct the name, or add [forms.{form_id}] with file = "forms/{form_id}.xlsx".',
            )
        return self.root / form.file


def open_workspace(start: Path | None = None) -> Workspace:
    """The workspace of `start` or of the nearest folder above it.

    Raises:
        ConfigError: there is no `dialogkit.toml`, or it is not as it should be.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / FILE_NAME).is_file():
            return Workspace(folder, read_config(folder / FILE_NAME))
    raise ConfigError(
        "CONFIG-001",
        str(start or "this folder"),
        f"There is no {FILE_NAME} here or in a folder above, so this is not a workspace.",
        "Make one with: dialogkit init, or name one with: --workspace FOLDER",
    )
