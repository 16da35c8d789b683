"""FINRA's weekly OTC transparency data, every version of it, and which weeks are ready to trade on."""

__version__ = "0.1.0"
