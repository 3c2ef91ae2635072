"""Write constraints.txt: the versions installed here, for everybody who installs the project.

    python book/_tools/lock.py
"""

import subprocess
import sys
from pathlib import Path

LOCK = Path(__file__).resolve().parents[2] / "constraints.txt"
HEAD = """\
# The versions with which the book is built and tested: `pip install -c constraints.txt -e '.[test]'`.
# Written by `make lock`. pip ignores a line whose package nothing asks for, so the CUDA parts that PyTorch
# brings on Linux do no harm elsewhere. They are the same for Python 3.11, 3.12 and 3.13.
"""


def pins(freeze: str) -> list[str]:
    """The lines `name==version` of `pip freeze`; paths and addresses are of no use elsewhere."""
    lines = (line.strip() for line in freeze.splitlines())
    return sorted((line for line in lines if "==" in line and not line.startswith(("#", "-"))), key=str.lower)


if __name__ == "__main__":
    command = [sys.executable, "-m", "pip", "freeze", "--all", "--exclude-editable"]
    command += ["--exclude", "gantools", "--exclude", "pip"]
    LOCK.write_text(HEAD + "\n".join(pins(subprocess.check_output(command, text=True))) + "\n")
    print(f"wrote {LOCK.name}")
