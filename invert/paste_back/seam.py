"""Where to cut between two pictures of one scene so that the cut is seen least.

A minimum cut through the differences of the two (Kwatra et al., "Graphcut Textures", 2003): the seam runs where
they agree, along a plain wall or inside hair, and around what they don't.
"""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

_PRECISION = 64
_NEVER = 2**30


def best_seam(cost: Array, inside: Mask, outside: Mask) -> Mask:
    """The region around ``inside``, apart from ``outside``, whose border costs least.

    Args:
        cost: ``[height, width]``, 0 or above: what a seam through each pixel costs.
        inside: ``[height, width]``, pixels that have to be in the region.
        outside: ``[height, width]``, pixels that must not be; wins over ``inside``.

    Returns:
        ``[height, width]``; nothing when there is no pixel inside, everything when there is none outside.
    """
    inside = inside & ~outside
    if not inside.any() or not outside.any():
        return np.full(cost.shape, inside.any())
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import breadth_first_order, maximum_flow

    count = cost.size
    number = np.arange(count).reshape(cost.shape)
    source, sink = count, count + 1
    first = np.concatenate([number[:, :-1].ravel(), number[:-1].ravel()])
    second = np.concatenate([number[:, 1:].ravel(), number[1:].ravel()])
    each = np.clip(cost.ravel() * _PRECISION, 1, 1e6)
    between = (each[first] + each[second]).astype(np.int32)
    starts, ends = number[inside], number[outside]
    rows = np.concatenate([first, second, np.full(len(starts), source), ends])
    columns = np.concatenate([second, first, starts, np.full(len(ends), sink)])
    capacity = np.concatenate([between, between, np.full(len(starts) + len(ends), _NEVER, dtype=np.int32)])
    graph = coo_array((capacity, (rows, columns)), shape=(count + 2, count + 2)).tocsr()
    left = graph - maximum_flow(graph, source, sink).flow
    left.data = np.maximum(left.data, 0)
    left.eliminate_zeros()
    reached = breadth_first_order(left, source, return_predecessors=False)
    region = np.zeros(count + 2, dtype=bool)
    region[reached] = True
    return np.asarray(region[:count].reshape(cost.shape))
