"""Installs the five folders of this repository as one import package, ``stylegan_latents``."""

from setuptools import find_packages, setup

FOLDERS = ("generator", "encoders", "invert", "editing", "demo")
rooms = find_packages(include=[pattern for folder in FOLDERS for pattern in (folder, f"{folder}.*")])

setup(
    # The examples are data of the demo.
    packages=[*(f"stylegan_latents.{room}" for room in rooms), "stylegan_latents.examples"],
    package_dir={f"stylegan_latents.{folder}": folder for folder in (*FOLDERS, "examples")},
)
