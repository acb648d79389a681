"""One run of the command ``invert`` over a film: crops, codes frame by frame, one record."""

import contextlib
import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stylegan_latents.generator.cli.command import warn
from stylegan_latents.generator.cli.progress import ShowProgress, show_progress
from stylegan_latents.generator.errors import InputError
from stylegan_latents.invert.commands.jobs import check_free
from stylegan_latents.invert.films.checkpoint import PARTS_SUFFIX, FilmParts
from stylegan_latents.invert.films.crop_path import CropPath
from stylegan_latents.invert.films.face_path import look_for_faces
from stylegan_latents.invert.films.read import FilmFacts, film_facts, read_film
from stylegan_latents.invert.films.smooth import smooth
from stylegan_latents.invert.films.write import Frame, write_film
from stylegan_latents.invert.invert_face import Crop, find_codes
from stylegan_latents.invert.inverters.base import identity_loss_of
from stylegan_latents.invert.photos.crop import crop_of, part_in_photo
from stylegan_latents.invert.photos.files import to_picture, to_tensor
from stylegan_latents.invert.record.files import RECORD_SUFFIX
from stylegan_latents.invert.record.footage import Footage
from stylegan_latents.invert.record.source import Source

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

    from stylegan_latents.generator.json_values import JSON
    from stylegan_latents.invert.commands.session import Session
    from stylegan_latents.invert.films.follow import Follower
    from stylegan_latents.invert.photos.crop import Alignment
    from stylegan_latents.invert.record.inversion import Inversion

CROP_CUTOFF, CODE_CUTOFF = 2.5, 6.0
"""Cut-off frequencies, in Hz, of the low-pass filters for the crop's path and for the codes."""

_FOLLOW_SIDE = 256  # pixels of the crop at which following frames are compared
FILM_SUFFIX = ".inverted.mp4"


class FilmSession:
    """Inverts one film with a session's models and settings.

    Args:
        session: of the run.
        film: the file.
        stem: of the results' names; None for the film's own.
        show: shows progress, as ``show_progress`` does.

    Attributes:
        record, result: the files that are written: the record, and the film that the generator makes of it.
    """

    def __init__(
        self, session: "Session", film: Path, stem: str | None = None, *, show: ShowProgress = show_progress
    ) -> None:
        self._show = show
        self.session, self.settings, self.film = session, session.settings, film
        folder, stem = self.settings.folder, film.stem if stem is None else stem
        self.record = folder / f"{stem}{RECORD_SUFFIX}"
        self.result = folder / f"{stem}{FILM_SUFFIX}"
        self._folder = folder / f"{stem}{PARTS_SUFFIX}"

    def invert(self) -> "Inversion | None":
        """Invert the frames that are not done yet.

        Returns:
            The record; None where one of the same film, model and settings exists already.

        Raises:
            InputError: the film cannot be read or shows no face, a result exists that was made in another way,
                another run is making it, or a file cannot be written.
            KeyboardInterrupt: Ctrl-C. Finished frames are kept, and the same command continues from there.
        """
        self.session.generator.check_square("A film")
        if self.session.generator.camera is not None:
            name = self.session.generator.name
            raise InputError(f"A film needs a flat model; '{name}' is three-dimensional and inverts photos alone.")
        facts, source = film_facts(self.film), Source.of(self.film)
        self.session.locks.take(self.record)
        values = self._setting_values()
        parts = FilmParts(self._folder, {"film": source.sha256, **values})
        if self._is_done(source, values):
            if parts.exist:  # of a run that ended after writing the record
                parts.remove()
            return None
        parts.check(overwrite=self.settings.overwrite)
        if facts.hdr and not self.settings.quiet:
            warn("invert", f"{self.film.name} is in HDR ({facts.hdr}); it is read as SDR, tone-mapped")
        if not self.settings.overwrite:
            check_free(self.record, self.result)
        try:
            path, times = parts.plan() or self._look(facts, parts)
            ws = self._smoothed(path, self._codes(path, facts, parts), facts)
            footage = Footage(
                source,
                facts.size,
                facts.rate,
                tuple(times),
                tuple(path.frames),
                tuple(frame for frame, seen in zip(path.frames, path.seen, strict=True) if not seen),
                self.settings.every,
                tuple(path.frames[scene.start] for scene in path.scenes),
            )
            record = self._save(ws, path, footage, values)
        except KeyboardInterrupt:
            if parts.exist:
                warn("invert", f"{self.film.name}: finished frames are kept; the same command continues from there")
            raise
        parts.remove()
        return record

    def _setting_values(self) -> "dict[str, JSON]":
        from stylegan_latents.invert.record.run_settings import FACE

        settings, inverter = self.settings, self.session.inverter
        return {
            FACE: settings.face if settings.align else None,
            "every": settings.every,
            "max_frames": settings.max_frames,
            "crop_cutoff": CROP_CUTOFF if settings.smooth else None,
            "code_cutoff": CODE_CUTOFF if settings.smooth else None,
            "model": inverter.G.fingerprint,
            "first": inverter.described(),
            "following": None if settings.method == "encode" else self._follower.settings(),
        }

    def _is_done(self, source: Source, values: "dict[str, JSON]") -> bool:
        """Whether the film was inverted already with these settings; its film is drawn if it is missing."""
        from stylegan_latents.invert.record.inversion import Inversion

        if self.settings.overwrite or not self.record.is_file():
            return False
        try:
            found = Inversion.load(self.record)
        except InputError:
            return False
        if found.footage is None or found.footage.source.sha256 != source.sha256 or found.settings != values:
            return False
        if not self.result.exists():
            self._draw(found.ws, found.footage)
        return True

    def _look(self, facts: FilmFacts, parts: FilmParts) -> tuple[CropPath, list[float]]:
        """Plan the crops and keep the plan."""
        settings = self.settings
        with self._show(f"{self.film.name}, looking for faces", quiet=settings.quiet) as report:
            path, times = look_for_faces(
                self.film,
                facts,
                which=settings.face if settings.align else None,
                every=settings.every,
                limit=settings.max_frames,
                cutoff=CROP_CUTOFF if settings.smooth else None,
                on_frame=lambda done, all_: report(done, all_, math.nan),
            )
        parts.save_plan(path, times)
        return path, times

    def _codes(self, path: CropPath, facts: FilmFacts, parts: FilmParts) -> "list[Tensor | None]":
        """The code of each frame of the path, searched or read from ``parts``; None where no face was found."""
        codes: list[Tensor | None] = []
        first = {scene.start for scene in path.scenes}
        before: Tensor | None = None
        with self._show(self.film.name, quiet=self.settings.quiet) as report:
            for index, picture in _pictures(self.film, path.frames):
                number = path.frames[index]
                if index in first:
                    before = None
                code = None
                if path.seen[index]:
                    part = parts.read(number)
                    if part is None:
                        part = self._search(picture(), self._alignment(path, index, facts), before)
                        for step in part.diverged.values():
                            message = f"the search diverged at step {step}; its best code before is kept"
                            warn("invert", f"{self.film.name}, frame {number}: {message}")
                        parts.write(number, part)
                    code = before = part.ws
                codes.append(code)
                report(index + 1, len(path.frames), math.nan)
        return codes

    def _search(self, picture: "Image.Image", alignment: "Alignment", before: "Tensor | None") -> "Inversion":
        """The record of one frame; the search starts from the code of the frame before, where there is one."""
        from stylegan_latents.invert.record.inversion import Inversion
        from stylegan_latents.invert.record.run_settings import DIVERGED

        G = self.session.generator
        if before is not None and self.settings.method != "encode":
            side = min(alignment.size, _FOLLOW_SIDE)
            image = to_tensor(crop_of(picture, alignment, side), device=G.device)
            values: dict[str, JSON] = {}
            mask = part_in_photo(dataclasses.replace(alignment, size=side))
            ws = self._follower.follow(image, before, mask, lambda step: values.update({DIVERGED: step}))
            return Inversion(ws, G.name, G.fingerprint, G.latent_space, "follow", values)
        crop = Crop(crop_of(picture, alignment), alignment, in_photo=part_in_photo(alignment))
        inverter = self.session.inverter
        identity_loss = identity_loss_of(inverter, crop.picture) if self.settings.align else None
        with self._show(f"{self.film.name}, first code", quiet=self.settings.quiet or before is not None) as report:
            return find_codes(
                inverter,
                [crop],
                identity_loss=identity_loss,
                on_step=lambda done: report(done.step, done.steps, done.loss),
            )

    def _smoothed(self, path: CropPath, codes: "Sequence[Tensor | None]", facts: FilmFacts) -> "Tensor":
        """All codes, ``[N, num_ws, w_dim]``, smoothed within each scene and interpolated where there is none."""
        import torch

        seconds = self.settings.every / facts.rate
        cutoff = seconds * CODE_CUTOFF if self.settings.smooth and seconds * CODE_CUTOFF < 0.5 else None
        shape = next(code.shape[1:] for code in codes if code is not None)
        rows = np.stack([np.zeros(shape.numel()) if code is None else code.numpy().ravel() for code in codes])
        smoothed = [smooth(rows[scene], np.array(path.seen[scene]), cutoff) for scene in path.scenes]
        ws = torch.from_numpy(np.concatenate(smoothed)).float().reshape(len(codes), *shape)
        # The rows of a code of W are equal to the last bit.
        return ws[:, :1].expand_as(ws) if self.settings.space == "w" else ws

    def _save(self, ws: "Tensor", path: CropPath, footage: Footage, values: "dict[str, JSON]") -> "Inversion":
        """Draw and measure every frame, and write the record and the film."""
        import torch

        from stylegan_latents.generator.perceptual import LPIPS, as_colour
        from stylegan_latents.invert.record.inversion import Inversion
        from stylegan_latents.invert.record.metrics import measure

        G = self.session.generator
        lpips = LPIPS.load("alex").to(G.device)
        alignments = [self._alignment(path, index, footage) for index in range(len(ws))]
        metrics: dict[str, list[float]] = {"lpips_alex": [], "psnr": []}
        with (
            self._film(footage) as write,
            self._show(f"{self.film.name}, drawing", quiet=self.settings.quiet) as report,
        ):
            for index, picture in _pictures(self.film, path.frames):
                code = ws[index : index + 1].to(G.device)
                with torch.inference_mode():
                    drawn = as_colour(G.synthesize(code))
                crop = to_tensor(crop_of(picture(), alignments[index]), device=G.device)
                mask = part_in_photo(alignments[index])
                found = measure(G, code, crop, lpips=lpips, drawn=drawn, mask=mask)
                for name in metrics:
                    metrics[name] += found[name]
                write(np.asarray(to_picture(drawn)[0]))
                report(index + 1, len(ws), math.nan)
            record = Inversion(
                ws, G.name, G.fingerprint, G.latent_space, self.session.inverter.method,
                settings=values, metrics=metrics, alignments=list(alignments), footage=footage,
                model_file=self.settings.model_file,
            )  # fmt: skip
            # Before the film is complete: it can be drawn again from the record.
            record.save(self.record, overwrite=True)
        return record

    def _draw(self, ws: "Tensor", footage: Footage) -> None:
        """Write the film of a record's codes."""
        import torch

        from stylegan_latents.generator.perceptual import as_colour

        G = self.session.generator
        with self._film(footage) as write, torch.inference_mode():
            for code in ws.to(G.device):
                write(np.asarray(to_picture(as_colour(G.synthesize(code[None])))[0]))

    def _film(self, footage: Footage) -> "contextlib.AbstractContextManager[Callable[[Frame], None]]":
        times = [footage.times[frame] - footage.times[footage.frames[0]] for frame in footage.frames]
        return write_film(self.result, fps=_rate(footage), times=times, overwrite=True)

    def _alignment(self, path: CropPath, index: int, facts: "FilmFacts | Footage") -> "Alignment":
        from stylegan_latents.invert.photos.crop import Alignment

        width, height = facts.size
        method = "ffhq" if self.settings.align else "none" if width == height else "centre"
        return Alignment(path.quads[index], facts.size, self.session.generator.resolution, method)

    @cached_property
    def _follower(self) -> "Follower":
        from stylegan_latents.invert.films.follow import Follower, FollowSettings

        settings = self.settings
        search = FollowSettings(space=settings.space, seed=settings.seed, precision=settings.precision)
        return Follower(self.session.generator, search)


def _rate(footage: Footage) -> float:
    """Frames per second of the inverted frames, within what a film file may have."""
    return min(120.0, max(1.0, footage.rate / footage.every))


def _pictures(film: Path, frames: Sequence[int]) -> "Iterator[tuple[int, Callable[[], Image.Image]]]":
    """The index in ``frames`` and a decoder of the picture, for each frame in order."""
    indices = {number: index for index, number in enumerate(frames)}
    for frame in read_film(film, limit=frames[-1] + 1):
        if frame.number in indices:
            yield indices[frame.number], frame.picture
