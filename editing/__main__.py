"""The command ``edit``, also as ``python -m editing``."""

import sys


def main() -> int:
    """Run the command; the console script's entry point. Ctrl-C is one line even while modules are imported."""
    try:
        from stylegan_latents.editing.commands.cli import main as run
    except KeyboardInterrupt:
        print("edit: Stopped.", file=sys.stderr)
        return 130
    return run()


if __name__ == "__main__":
    sys.exit(main())
