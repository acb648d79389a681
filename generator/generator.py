"""The interface of every generator: z to w, w to styles, styles to an image."""

import copy
import hashlib
from collections.abc import Iterable, Sequence
from typing import Self

import torch
from torch import Tensor, nn

from stylegan_latents.generator.errors import InputError
from stylegan_latents.generator.layers import Box, Group, group_of_each_ws, parse_layers
from stylegan_latents.generator.networks.camera import LABEL, Camera
from stylegan_latents.generator.networks.synthesis import Noise, SynthesisNetwork, View
from stylegan_latents.generator.seeds import RandomSource, z_of_seeds

__all__ = ["Generator", "Noise", "check_same_space", "fingerprint"]


class Generator(nn.Module):
    """A pretrained StyleGAN: ``G(z)`` gives images.

    Codes are ``ws``: float32 ``[N, num_ws, w_dim]``, one row for each group of layers with its own code (W+). A
    code of W has equal rows. Images are float32 ``[N, image_channels, H, W]``, -1 black to 1 white.

    Attributes:
        name: of the model, in messages and records.
        latent_space: a name shared by models whose W is the same space, between which codes may move.
        resolution, width: height and width of the image in pixels; equal for most models.
        num_ws, w_dim: shape of a code.
        z_dim, label_dim: lengths of z and of the class label (0: the model has no classes).
        w_avg: the mean w, ``[w_dim]``.
        class_w_avg: the mean w of each class, ``[label_dim, w_dim]``, if the model has them, else None.
        layers: every style input, in the order of ``styles``.
        fingerprint: ``weights_fingerprint`` at the time the model was made.
    """

    w_avg: Tensor
    class_w_avg: Tensor | None

    def __init__(
        self,
        mapping: nn.Module,
        synthesis: SynthesisNetwork,
        w_avg: Tensor,
        *,
        name: str,
        latent_space: str | None = None,
        z_dim: int,
        label_dim: int = 0,
        class_w_avg: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.mapping = mapping
        self.synthesis = synthesis
        self.register_buffer("w_avg", w_avg.detach().float().clone())
        self.register_buffer("class_w_avg", None if class_w_avg is None else class_w_avg.detach().float().clone())
        self.name = name
        self.resolution, self.width = synthesis.resolution, synthesis.width
        self.num_ws, self.w_dim = synthesis.num_ws, synthesis.w_dim
        self.image_channels, self.layers = synthesis.image_channels, synthesis.layers
        self.z_dim, self.label_dim, self.dtype = z_dim, label_dim, torch.float32
        self.eval().requires_grad_(False)
        self.fingerprint = self.weights_fingerprint()
        self.latent_space = latent_space or f"weights-{self.fingerprint[:16]}"

    def weights_fingerprint(self) -> str:
        """sha256 over the weights as they are now, which tuning and styles change."""
        # A file may leave the means to us, and the last bits of what is computed depend on the processor.
        means = ("w_avg", "class_w_avg")
        return fingerprint((name, values) for name, values in self.state_dict().items() if name not in means)

    def has_fingerprint(self, found: str) -> bool:
        """Whether this is the model of a fingerprint, also of one from a version that counted the means in."""
        return found == self.fingerprint or found == fingerprint(self.state_dict().items())

    def check_square(self, what: str) -> None:
        """Raise InputError, which begins with ``what`` needs them, if the images are not square."""
        if self.width != self.resolution:
            raise InputError(
                f"{what} needs a model of square pictures; '{self.name}' draws {self.width}x{self.resolution}."
            )

    @property
    def camera(self) -> Camera | None:
        """Where a three-dimensional model is drawn from if no other camera is given; None for other models."""
        return self.synthesis.camera

    @camera.setter
    def camera(self, camera: Camera) -> None:
        self.check_camera()
        self.synthesis.camera = camera

    def seen_from(self, camera: Camera) -> "Generator":
        """The same generator with another ``camera``; the weights are shared.

        Raises:
            InputError: the model has no camera.
        """
        self.check_camera()
        other = copy.copy(self)
        synthesis = copy.copy(self.synthesis)
        other._modules = {**self._modules, "synthesis": synthesis}
        other.camera = camera
        return other

    def check_camera(self) -> None:
        """Raise InputError if the model has no camera."""
        if self.camera is None:
            raise InputError(
                f"'{self.name}' has no camera, as its pictures are flat; give a three-dimensional model "
                "(EG3D, StyleNeRF)."
            )

    def _matrices(self, camera: Camera | Tensor) -> Tensor:
        self.check_camera()
        matrices = self.synthesis.camera_matrices(camera) if isinstance(camera, Camera) else camera
        if matrices.shape[1:] != (LABEL,):
            raise ValueError(f"a camera's matrices need the shape [N, {LABEL}], got {tuple(matrices.shape)}")
        return matrices.to(self.device)

    def save_memory(self) -> None:
        """Draw with little memory from now on, also differentiably; the images are the same and take longer.

        Raises:
            InputError: there is no way of doing so for this architecture.
        """
        if not self.synthesis.can_save_memory:
            raise InputError(
                f"The model '{self.name}' cannot be drawn with less memory; a MobileStyleGAN can, such as ffhq."
            )
        self.synthesis.saves_memory = True

    def __repr__(self) -> str:
        classes = f"{self.label_dim} classes" if self.label_dim else "no classes"
        return (
            f"Generator '{self.name}': {self.width} x {self.resolution}, {self.image_channels} channels\n"
            f"  z [N, {self.z_dim}], {classes}; ws [N, {self.num_ws}, {self.w_dim}] of {self.latent_space}\n"
            f"  {self.dtype} on {self.device}; fingerprint {self.fingerprint[:16]}"
        ).replace("torch.", "")

    def forward(
        self,
        z: Tensor,
        label: Tensor | None = None,
        truncation: float = 1.0,
        noise: Noise = "const",
        *,
        size: int | None = None,
    ) -> Tensor:
        """z to images: ``map``, then ``synthesize``, which describes the images. Call it as ``G(z)``.

        Args:
            z: ``[N, z_dim]``, standard normal.
            label, truncation: see ``map``.
            noise, size: see ``synthesize``.
        """
        return self.synthesize(self.map(z, label, truncation), noise, size=size)

    @property
    def device(self) -> torch.device:
        return self.w_avg.device

    @property
    def ws_groups(self) -> list[Group]:
        """Coarse, middle or fine, for each row of ws."""
        return group_of_each_ws(self.layers, self.num_ws)

    def rows(self, layers: str) -> list[int]:
        """Rows of ws from a text such as ``coarse`` or ``0-3,7``; see ``parse_layers``."""
        return parse_layers(layers, self.layers, self.num_ws)

    def to(  # type: ignore[override]
        self, device: torch.device | torch.dtype | str | None = None, dtype: torch.dtype | None = None
    ) -> Self:
        """Move to a device, or choose the precision of the convolutions, in place; everything else stays float32.

        Rounded weights stay rounded: to keep the exact ones, change the precision of a copy.
        """
        if isinstance(device, torch.dtype):  # a precision alone may come first, as for any module
            device, dtype = None, device
        if device is not None:
            super().to(device)
        if dtype is not None:
            if dtype not in (torch.float32, torch.bfloat16, torch.float16):
                raise ValueError(f"dtype has to be float32, bfloat16 or float16, got {dtype}")
            self.synthesis.set_precision(dtype)
            self.dtype = dtype
        return self

    def map(
        self,
        z: Tensor,
        label: Tensor | None = None,
        truncation: float = 1.0,
        truncation_cutoff: int | None = None,
        *,
        camera: Camera | Tensor | None = None,
    ) -> Tensor:
        """z to ws ``[N, num_ws, w_dim]``.

        Args:
            z: ``[N, z_dim]``, standard normal.
            label: ``[N, label_dim]``, for a model with classes: one-hot, or a mixture of classes that sums to 1.
            truncation: 1 keeps w, 0 gives the mean w (of the class if known), values in between interpolate (the
                truncation trick, StyleGAN, section B).
            truncation_cutoff: number of rows that are truncated; None for all.
            camera: of a three-dimensional model, where the face is likely to be seen from, which its codes depend
                on a little (EG3D, section 4.4); None for the front. As matrices ``[1 or N, 25]`` also.

        Raises:
            InputError: a camera for a model that has none.
            ValueError: a shape does not fit this model.
        """
        if z.ndim != 2 or z.shape[1] != self.z_dim:
            raise ValueError(f"z needs the shape [N, {self.z_dim}], got {tuple(z.shape)}")
        if self.label_dim and (label is None or label.shape != (len(z), self.label_dim)):
            raise ValueError(f"this model has classes: label needs the shape [{len(z)}, {self.label_dim}]")
        z = z.to(self.device, torch.float32)
        condition = self._matrices(camera) if camera is not None else label if self.label_dim else None
        w = self.mapping(z) if condition is None else self.mapping(z, condition.to(self.device))
        ws: Tensor = w.unsqueeze(1).repeat(1, self.num_ws, 1) if w.ndim == 2 else w
        if truncation != 1.0:
            rows = slice(0, truncation_cutoff)
            mean = self.w_avg
            if self.class_w_avg is not None and label is not None:
                mean = (label.to(self.device, torch.float32) @ self.class_w_avg).unsqueeze(1)
            ws[:, rows] = mean.lerp(ws[:, rows], truncation)
        return ws

    def sample(
        self,
        seeds: Sequence[int],
        label: Tensor | None = None,
        truncation: float = 1.0,
        truncation_cutoff: int | None = None,
        *,
        random: RandomSource = "numpy",
    ) -> Tensor:
        """The ws of seeds ``[len(seeds), num_ws, w_dim]``, the same on every device.

        Args:
            seeds, random: as for ``z_of_seeds``; one z for each seed, as NVIDIA's scripts draw it.
            label, truncation, truncation_cutoff: as for ``map``.
        """
        if not seeds:
            return self.w_avg.new_zeros(0, self.num_ws, self.w_dim)
        return self.map(z_of_seeds(seeds, self.z_dim, random), label, truncation, truncation_cutoff)

    def styles(self, ws: Tensor) -> list[Tensor]:
        """ws to the styles of StyleSpace: one ``[N, channels]`` for each of ``layers``."""
        if ws.ndim != 3 or ws.shape[1:] != (self.num_ws, self.w_dim):
            raise ValueError(f"ws needs the shape [N, {self.num_ws}, {self.w_dim}], got {tuple(ws.shape)}")
        return self.synthesis.styles(ws.float())

    def synthesize(
        self,
        ws: Tensor,
        noise: Noise = "const",
        *,
        size: int | None = None,
        seed: int = 0,
        translate: Sequence[float] | Tensor = (0.0, 0.0),
        rotate: float | Tensor = 0.0,
        reference: bool = False,
        camera: Camera | Tensor | None = None,
    ) -> Tensor:
        """ws ``[N, num_ws, w_dim]`` to images.

        Args:
            noise: ``const``: the maps stored with the model; ``random``: new ones of the same strength; ``none``;
                or one map ``[1 or N, 1, H, W]`` for each of ``noise_constants``.
            size: side of the image: the resolution (None) or that divided by a power of two, which gives the area
                average of the full image, in less time where the architecture allows it.
            seed: of the random noise.
            translate, rotate: see ``move``; for a StyleGAN3.
            reference: use the slow plain operations, for comparison.
            camera: of a three-dimensional model: where to look from, or matrices ``[1 or N, 25]`` as
                ``camera_matrices`` gives them; None for ``self.camera``.

        Returns:
            float32 ``[N, image_channels, size, size]``, -1 black to 1 white, not clamped.

        Raises:
            InputError: a camera for a model that has none.
            ValueError: a shape does not fit this model.
        """
        styles = self.styles(ws)
        if isinstance(translate, Tensor) or isinstance(rotate, Tensor) or any(translate) or rotate:
            styles = self.move(styles, translate, rotate)
        return self.synthesize_styles(styles, noise, size=size, seed=seed, reference=reference, camera=camera)

    def view(
        self, ws: Tensor, camera: Camera | Tensor | None = None, noise: Noise = "const", *, size: int | None = None
    ) -> View:
        """ws to what a camera sees: the images of ``synthesize``, with those before super-resolution and depths.

        Args:
            ws, camera, noise, size: see ``synthesize``.

        Raises:
            InputError: the model is not three-dimensional.
        """
        self.check_camera()
        chosen = self.camera if camera is None else camera
        assert chosen is not None  # a model that has a camera has a default
        styles = self.styles(ws)
        maps = self.synthesis.noise_maps(noise, 0, len(ws))
        return self.synthesis.view(styles, maps, self._matrices(chosen), size=size)

    def sketch(self, ws: Tensor, *, size: int | None = None, focus: Box | None = None) -> Tensor:
        """ws to approximate images, for many that need not be exact, such as samples to score.

        Other sizes, and architectures without a faster method, give exact images. At a quarter of the default
        model's resolution it takes 0.6 of the time in bfloat16 on a CPU, 0.45 with ``focus``; scores of 600 faces
        correlate with those of the exact images by 0.98 and more.

        Args:
            ws, size: see ``synthesize``.
            focus: the part of the image that needs full detail; None for all of it.

        Raises:
            ValueError: a shape does not fit this model, or ``focus`` is empty.
        """
        return self.sketch_styles(self.styles(ws), size=size, focus=focus)

    def sketch_styles(
        self, styles: Sequence[Tensor], *, size: int | None = None, focus: Box | None = None
    ) -> Tensor:
        """Styles to approximate images: the second step of ``sketch``."""
        if focus is not None and not (0 <= focus[0] < focus[2] <= 1 and 0 <= focus[1] < focus[3] <= 1):
            raise ValueError(f"focus has to be left, top, right and bottom in sides of the image, got {focus}")
        if size is None:
            return self.synthesize_styles(styles)
        self.synthesis.check_size(size)
        return self.synthesis.sketch(styles, size=size, focus=focus)

    def move(
        self,
        styles: Sequence[Tensor],
        translate: Sequence[float] | Tensor = (0.0, 0.0),
        rotate: float | Tensor = 0.0,
    ) -> list[Tensor]:
        """The styles of the same image, rotated about its centre and then translated.

        A StyleGAN3 draws the moved image itself, including what comes in from outside the frame (section 3.2).

        Args:
            styles: as ``styles`` gives them.
            translate: to the right and down, in sides of the image: two numbers, or ``[1 or N, 2]``.
            rotate: counter-clockwise, in degrees: one number, or ``[1 or N]``.

        Raises:
            ValueError: the generator is not a StyleGAN3, or a shape does not fit.
        """
        shift = torch.as_tensor(translate, dtype=torch.float32, device=self.device)
        angle = torch.as_tensor(rotate, dtype=torch.float32, device=self.device).reshape(-1)
        shift = shift.reshape(-1, 2) if shift.ndim < 2 else shift
        if shift.shape[1:] != (2,) or any(len(part) not in (1, len(styles[0])) for part in (shift, angle)):
            raise ValueError("translate needs two numbers, or one pair for each image, and rotate one number")
        return self.synthesis.move(styles, shift, angle)

    def synthesize_styles(
        self,
        styles: Sequence[Tensor],
        noise: Noise = "const",
        *,
        size: int | None = None,
        seed: int = 0,
        reference: bool = False,
        camera: Camera | Tensor | None = None,
    ) -> Tensor:
        """Styles to images: the second step of ``synthesize``."""
        shapes = [tuple(style.shape[1:]) for style in styles]
        if shapes != [(layer.channels,) for layer in self.layers] or len({len(style) for style in styles}) != 1:
            raise ValueError("styles needs one tensor [N, channels] for each of the generator's layers")
        if size is not None:
            self.synthesis.check_size(size)
        maps = self.synthesis.noise_maps(noise, seed, len(styles[0]))
        if camera is not None:
            return self.synthesis.view(styles, maps, self._matrices(camera), size=size, reference=reference).image
        images: Tensor = self.synthesis(styles, maps, size=size, reference=reference)
        return images

    def noise_constants(self) -> list[Tensor]:
        """The noise maps stored with the model, ``[1, 1, H, W]`` each; empty for a model without noise."""
        return self.synthesis.noise_constants()


def fingerprint(tensors: Iterable[tuple[str, Tensor]]) -> str:
    """sha256, in hexadecimal, over names, shapes and float32 values, in the order of the names."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors):
        digest.update(f"{name}{tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().float().contiguous().numpy().data)
    return digest.hexdigest()


def check_same_space(generator: "Generator", name: str, latent_space: str, its_fingerprint: str, what: str) -> None:
    """Raise InputError for a code or direction of a model with another fingerprint and another latent space."""
    if latent_space != generator.latent_space and not generator.has_fingerprint(its_fingerprint):
        raise InputError(
            f"{what} belongs to the model '{name}' ({latent_space}), not to '{generator.name}' "
            f"({generator.latent_space}); give the model it was made with."
        )
