"""The settings of a run that a record keeps beside the inverter's own."""

FACE = "face"
"""The setting that says which of a photo's faces a record is of; None for a photo taken as it is."""

MASK, UNCHANGED, LOW_RESOLUTION = "mask", "keep_unchanged", "low_resolution"
"""The settings that say what the photo was compared by: masks' sha256, and a side in pixels; absent for none."""

LANDMARKS = "landmarks"
"""The setting with the landmarks that were given by hand, a list of ``Landmarks.to_dict``; absent for none."""

RUN_SETTINGS = (FACE, MASK, UNCHANGED, LOW_RESOLUTION, LANDMARKS)
