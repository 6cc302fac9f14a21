"""`python -m gpr`: the command line."""

from gpr.cli import app

if __name__ == "__main__":
    app(prog_name="gpr")
