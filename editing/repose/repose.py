"""A photo's person in another pose, or in another person's clothes, by Pose With Style (AlBahar et al., 2021).

Where the body is, DensePose says in an IUV map: a picture whose three channels are the body part, u and v.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from stylegan_latents.editing.repose.files import PARTS, load_completion, load_pose_with_style, read_lookup
from stylegan_latents.editing.repose.network import Appearance, CoordinateCompletion, Pose, PoseWithStyle
from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.reading.files import open_regular
from stylegan_latents.invert.photos.crop import mask_picture
from stylegan_latents.invert.photos.files import read_photo, to_picture, to_tensor

if TYPE_CHECKING:
    Floats = NDArray[np.floating[Any]]

IUV = NDArray[np.uint8]
"""``[H, W, 3]``: body part (0 outside, or 1 to 24), u and v, 0 to 255."""

CLOTHES: dict[str, tuple[int, ...]] = {
    "upper-body": (1, 2, *range(15, 23)),
    "lower-body": tuple(range(7, 15)),
    "full-body": (1, 2, *range(7, 23)),
    "face": (23, 24),
}
"""DensePose's parts of the body that garments cover."""

TEXTURE = 512
"""Side of the texture in which coordinates are completed."""

_UNKNOWN = -10.0
_PNG = b"\x89PNG\r\n\x1a\n"
_MIRRORED = np.array([0, 1, 2, *(side for right in range(4, 25, 2) for side in (right, right - 1))], np.uint8)
_TORSO, _HANDS_AND_HEAD = (1, 2), (3, 4, 23, 24)


def read_iuv(path: Path) -> IUV:
    """Read an IUV map, a PNG.

    Raises:
        InputError: the file cannot be read, is no PNG, shows no person, has other parts, or is wider than tall.
    """
    with open_regular(path, "the IUV map") as file:
        if file.read(len(_PNG)) != _PNG:
            raise InputError(f"{path} is no PNG, and IUV maps have to be one: other formats change their values.")
    iuv = np.array(read_photo(path))
    parts = iuv[:, :, 0]
    if parts.max() > PARTS:
        raise InputError(
            f"{path} is no IUV map: its red channel has values above {PARTS}, the number of DensePose's body parts."
        )
    if not parts.any():
        raise InputError(f"{path} shows no person: its red channel is 0 everywhere.")
    _check_upright(path, iuv.shape[1], iuv.shape[0])
    return iuv


@dataclass(frozen=True, eq=False)
class Person:
    """A photo with its maps, all of one size, no wider than tall.

    Attributes:
        picture: RGB.
        iuv: where the body is.
        silhouette: ``[H, W]``: 255 where body, hair and clothes are; None for the body alone.
    """

    picture: Image.Image
    iuv: IUV
    silhouette: NDArray[np.uint8] | None = None

    @classmethod
    def read(cls, photo: Path, iuv: Path, silhouette: Path | None = None) -> Self:
        """Read a person from files.

        Raises:
            InputError: one cannot be read, is not what it should be, or has another size than the photo.
        """
        picture, body = read_photo(photo), read_iuv(iuv)
        clothes = None if silhouette is None else np.array(mask_picture(silhouette))
        for path, array in ((iuv, body), (silhouette, clothes)):
            if array is not None and array.shape[1::-1] != picture.size:
                raise InputError(
                    f"{path} is {array.shape[1]}x{array.shape[0]} pixels and {photo} {picture.width}x"
                    f"{picture.height}; give a map of the photo's size."
                )
        return cls(picture, body, clothes)


class Reposer:
    """Draws persons in poses.

    Args:
        network: the generator.
        completion: of coordinates.
        lookup: ``[24, 256, 256, 2]`` as ``read_lookup`` gives.
    """

    def __init__(self, network: PoseWithStyle, completion: CoordinateCompletion, lookup: "Floats") -> None:
        self.network, self.completion, self.lookup = network, completion, lookup

    @classmethod
    def load(cls, model: Path, completion: Path, lookup: Path, device: str | torch.device = "cpu") -> Self:
        """Read the networks and the map from DensePose's parts to one texture.

        Raises:
            InputError: a file is missing, damaged, or holds something else.
        """
        table = read_lookup(lookup)
        return cls(load_pose_with_style(model).to(device), load_completion(completion).to(device), table)

    @torch.inference_mode()
    def repose(
        self,
        person: Person,
        target: IUV | None = None,
        *,
        other: Person | None = None,
        part: str = "upper-body",
        seed: int = 0,
    ) -> Image.Image:
        """Draw a person in the target's pose, of its shape, at the network's height.

        Args:
            person: who is drawn.
            target: the pose; None for the person's own.
            other: whose clothes are worn; None for the person's own.
            part: which clothes, a key of ``CLOTHES``.
            seed: of the noise, from 0.

        Raises:
            InputError: an IUV map shows too little of a person.
        """
        device, side = self.network.first.weight.device, self.network.resolution
        iuv = _scaled(person.iuv if target is None else target, side)
        width = iuv.shape[1]
        pose = self.pose(iuv)
        worn = torch.tensor(CLOTHES[part], device=device)
        image = self.network(
            pose,
            self.appearance(person),
            self.network.noise(seed),
            other=None if other is None else self.appearance(other),
            part=None if other is None else torch.isin(pose.iuv[:, :1].int(), worn).float(),
        )
        left = (side - width) // 2
        return to_picture(image[:, :, :, left : left + width])[0]

    def pose(self, iuv: IUV) -> Pose:
        """The pose of an IUV map of the network's height."""
        maps = torch.from_numpy(np.concatenate([iuv, self._uv(iuv)], axis=2)).permute(2, 0, 1)[None].float()
        maps = self._square(maps)
        return Pose(maps[:, :3], maps[:, 3:])

    def appearance(self, person: Person) -> Appearance:
        """What the network takes of a person.

        Raises:
            InputError: the IUV map shows too little of a person.
        """
        device, side = self.network.first.weight.device, self.network.resolution
        iuv = _scaled(person.iuv, side)
        size = (iuv.shape[1], side)
        silhouette = iuv[:, :, 0] != 0
        if person.silhouette is not None:
            silhouette = np.maximum(silhouette, _scaled(person.silhouette, side) / 255)
        known, mask = known_coordinates(iuv, self.lookup)
        known[:, :, 0] += (side - iuv.shape[1]) // 2
        known = np.where(mask[:, :, None], 2 * known / (side - 1) - 1, _UNKNOWN)
        coordinates = self.completion(
            torch.from_numpy(known).permute(2, 0, 1)[None].float().to(device),
            torch.from_numpy(mask)[None, None].float().to(device),
        )
        if side != TEXTURE:
            coordinates = F.interpolate(coordinates, size=(side, side), mode="bilinear", align_corners=False)
        photo = person.picture
        if photo.size != size:
            photo = photo.resize(size, Image.Resampling.LANCZOS)
        clothes = torch.from_numpy(silhouette)[None, None].float()
        return Appearance(self._square(to_tensor(photo)), self._square(clothes), coordinates)

    def _uv(self, iuv: IUV) -> "Floats":
        """``[H, W, 2]``: the place of each pixel in the texture, x and y in [-1, 1]; 0 outside."""
        places = self.lookup[iuv[:, :, 0].astype(int) - 1, iuv[:, :, 2], iuv[:, :, 1]]
        places = np.stack([places[:, :, 0] * 2 - 1, (1 - places[:, :, 1]) * 2 - 1], axis=2)
        return np.where(iuv[:, :, :1] != 0, places, 0)

    def _square(self, x: Tensor) -> Tensor:
        """Centre ``[N, C, S, W]`` in a square of zeros, on the network's device."""
        room = self.network.resolution - x.shape[3]
        return F.pad(x, (room // 2, room - room // 2)).to(self.network.first.weight.device)


def known_coordinates(iuv: IUV, lookup: "Floats") -> "tuple[Floats, NDArray[np.bool_]]":
    """Where a picture shows each place of the texture, or its mirror image on the body.

    Args:
        iuv: the picture's map.
        lookup: ``[24, 256, 256, 2]`` as ``read_lookup`` gives.

    Returns:
        ``[TEXTURE, TEXTURE, 2]``, x and y in pixels, and ``[TEXTURE, TEXTURE]``: where they are known.

    Raises:
        InputError: the map shows too little of a person.
    """
    shown, mask = _scattered(iuv, lookup)
    mirrored, other = _scattered(_mirrored(iuv), lookup)
    other &= ~mask
    return np.where(other[:, :, None], mirrored, shown), mask | other


def _scattered(iuv: IUV, lookup: "Floats") -> "tuple[Floats, NDArray[np.bool_]]":
    """Coordinates of pixels in the texture, interpolated between these, and where there are any."""
    import cv2
    from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator
    from scipy.spatial import QhullError

    y, x = np.nonzero(iuv[:, :, 0])
    part, u, v = iuv[y, x].T
    places = lookup[part - 1, v, u]
    across, down = places[:, 0] * (TEXTURE - 1), (1 - places[:, 1]) * (TEXTURE - 1)
    touched = np.zeros((TEXTURE, TEXTURE), np.uint8)
    for rows in (np.floor(down), np.ceil(down)):
        for columns in (np.floor(across), np.ceil(across)):
            touched[rows.astype(int), columns.astype(int)] = 1
    mask = cv2.dilate(touched, np.ones((3, 3), np.uint8)).astype(bool)
    points, values, wanted = np.stack([down, across], 1), np.stack([x, y], 1).astype(float), np.nonzero(mask)
    try:
        found = LinearNDInterpolator(points, values)(*wanted)
    except QhullError as error:
        raise InputError("The IUV map shows too little of a person to draw one.") from error
    outside = np.isnan(found[:, 0])
    found[outside] = NearestNDInterpolator(points, values)(wanted[0][outside], wanted[1][outside])
    coordinates = np.zeros((TEXTURE, TEXTURE, 2))
    coordinates[wanted] = found
    return coordinates, mask


def _mirrored(iuv: IUV) -> IUV:
    """The map as if each pixel showed the other side of the body."""
    part, u, v = (iuv[:, :, channel] for channel in range(3))
    u = np.where(np.isin(part, _HANDS_AND_HEAD), 255 - u, u)
    v = np.where(np.isin(part, _TORSO), 255 - v, v)
    return np.stack([_MIRRORED[part], u, v], axis=2)


def _scaled(array: NDArray[np.uint8], height: int) -> NDArray[np.uint8]:
    """A map ``[H, W]`` or ``[H, W, 3]`` of another height, each value one of the map's."""
    if len(array) == height:
        return array
    size = (max(1, round(array.shape[1] * height / len(array))), height)
    return np.array(Image.fromarray(array).resize(size, Image.Resampling.NEAREST))


def _check_upright(path: Path, width: int, height: int) -> None:
    if width > height:
        raise InputError(f"{path} is wider than tall; crop the photo and its maps to the person.")
