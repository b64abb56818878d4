"""The package's version, apart from everything that would have to be installed to import it."""

__version__ = "1.0.0"
