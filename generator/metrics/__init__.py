"""Metrics of generators: Frechet distance, perceptual path length, equivariance.

They take features and distances as callables; ``generator.metrics.features`` loads the usual ones.
"""
