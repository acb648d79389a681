"""The browser demo, as ``python -m demo`` in a clone and ``stylegan-latents demo`` anywhere."""

import sys


def main() -> int:
    """Run the command. Ctrl-C is one line even while modules are imported."""
    try:
        from stylegan_latents.demo.cli import main as run
    except KeyboardInterrupt:
        print("stylegan-latents demo: Stopped.", file=sys.stderr)
        return 130
    return run()


if __name__ == "__main__":
    sys.exit(main())
