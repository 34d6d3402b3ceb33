"""Provider mirror: a directory of this machine from which `terraform init -plugin-dir=` can take the AWS provider.

`python3 tools/provider_mirror.py` prints the first that holds an executable provider of the locked version for this
platform, and nothing where there is none. It looks where Terraform itself looks ("Implied Local Mirror Directories" in
the CLI configuration's documentation), and then below /opt and /usr. A data directory that another `terraform init` left
behind is laid out alike, but may hold another version, or links to a cache that is gone.
"""

from __future__ import annotations

import os
import platform
import re
import stat
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

TERRAFORM = Path(__file__).resolve().parents[1] / "terraform"
PROVIDER = "registry.terraform.io/hashicorp/aws"
ROOTS = (Path("/opt"), Path("/usr"))

MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def locked_version(lock: Path = TERRAFORM / ".terraform.lock.hcl") -> str:
    found = re.search(rf'^provider "{PROVIDER}" {{\n  version += "([^"]+)"$', lock.read_text(encoding="utf-8"), re.MULTILINE)
    if not found:
        raise ValueError(f"{lock} locks no version of {PROVIDER}")
    return found[1]


def this_platform() -> str:
    machine = platform.machine().lower()
    return f"{platform.system().lower()}_{MACHINES.get(machine, machine)}"


def implied(environment: Mapping[str, str], project: Path = TERRAFORM, system: str = sys.platform) -> list[Path]:
    """The directories that Terraform itself takes as mirrors on Unix, in its order."""
    home = Path(environment.get("HOME") or Path.home())
    data = environment.get("XDG_DATA_HOME") or home / ".local" / "share"
    others = (environment.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":")
    found = [project / "terraform.d" / "plugins", home / ".terraform.d" / "plugins"]
    if system == "darwin":
        support = Path("Library", "Application Support", "io.terraform", "plugins")
        return [*found, home / support, "/" / support]
    return found + [Path(base) / "terraform" / "plugins" for base in (data, *filter(None, others))]


def below(root: Path) -> Iterator[Path]:
    """The directories below a root that are laid out as a mirror."""
    for directory, names, _ in os.walk(root):
        names.sort()
        if (Path(directory) / PROVIDER).is_dir():
            yield Path(directory)
            names.clear()


def holds(mirror: Path, version: str, target: str) -> bool:
    """Whether the mirror has the provider, unpacked or as the zip that is published, and it can be executed."""
    kind = PROVIDER.rpartition("/")[2]
    unpacked = mirror / PROVIDER / version / target
    if any(path.is_file() and os.access(path, os.X_OK) for path in unpacked.glob(f"terraform-provider-{kind}*")):
        return True
    try:
        with zipfile.ZipFile(mirror / PROVIDER / f"terraform-provider-{kind}_{version}_{target}.zip") as packed:
            names = [each for each in packed.infolist() if each.filename.startswith(f"terraform-provider-{kind}")]
    except (OSError, zipfile.BadZipFile):
        return False
    return any(each.external_attr >> 16 & stat.S_IXUSR for each in names)


def find(version: str, target: str, directories: Sequence[Path], roots: Sequence[Path] = ()) -> Path | None:
    """The first mirror that holds the provider: one of the directories, or else one below a root."""
    if found := next((each for each in directories if holds(each, version, target)), None):
        return found
    return next((each for root in roots for each in below(root) if holds(each, version, target)), None)


if __name__ == "__main__":
    if mirror := find(locked_version(), this_platform(), implied(os.environ), ROOTS):
        print(mirror)
