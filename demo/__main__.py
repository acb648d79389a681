"""``python -m demo``: the browser demo."""

import sys


def main() -> int:
    """Run the command. Ctrl-C is one line even while modules are imported."""
    try:
        from stylegan_latents.demo.cli import main as run
    except KeyboardInterrupt:
        print("python -m demo: Stopped.", file=sys.stderr)
        return 130
    return run()


if __name__ == "__main__":
    sys.exit(main())
