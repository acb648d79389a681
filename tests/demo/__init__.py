"""Tests of the browser demo. They import Gradio as the demo does, before anything of them or of it does."""

from stylegan_latents.demo.server.gradio_import import import_gradio

import_gradio()
