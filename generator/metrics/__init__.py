"""How good a generator is: Frechet distance, perceptual path length, equivariance.

Features and distances are callables; what loads the usual ones is in ``generator.metrics.features``.
"""
