#!/usr/bin/env python3
"""Packages, units, installer and examples, by the programs that users have: python3 -B run.py BINARY [--all]

With --all also what takes minutes: versions that hang, with the timeouts of the units as they are. Much of it needs root, on a machine
of its own or in a container that may mount; what cannot be had is named ABSENT.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import booted
import contents
import deploy
import installer
import units
from checks import finish, is_absent


def main():
    binary = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(prefix="rmcp-packages-") as scratch:
        work = Path(scratch)
        out = work / "dist"
        units.all_of_it(binary)
        if not shutil.which("dpkg-deb"):
            is_absent("dpkg", "packages were not made, nor installed")
            finish()
        contents.all_of_it(binary, out)
        packages = out / "packages"
        deploy.all_of_it(contents.image_is_sound(next(packages.glob("*.oci.tar")))[0])
        booted.from_the_deb(next(packages.glob("*.deb")))
        if not shutil.which("minisign"):
            is_absent("minisign", "install.sh was not tried: nobody could sign a release")
            finish()
        installer.all_of_it(packages, work)
        booted.from_a_bundle(work / "good/bundle.tar", "--all" in sys.argv[2:])
    finish()


if __name__ == "__main__":
    main()
