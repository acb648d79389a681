"""What searches compare images with; the measure itself is the generator's, where encoders reach it too."""

from stylegan_latents.generator.perceptual import LPIPS, Trunk, area_resize

__all__ = ["LPIPS", "Trunk", "area_resize"]
