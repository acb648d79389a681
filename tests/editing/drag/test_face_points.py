import torch

from stylegan_latents.editing.drag.face_points import FacePoints
from stylegan_latents.invert.faces.detector import Face, FaceDetector
from tests.editing.drag.bumps import HOME, SIDE, BumpDetector, planted


class _Blind(FaceDetector):
    def find(self, image: object) -> list[Face]:  # noqa: ARG002
        return []


def test_a_point_near_landmarks_goes_as_they_do_and_one_far_from_them_is_unknown() -> None:
    G, starts = planted(), torch.stack([HOME[0], HOME[1]])
    points = FacePoints(G, torch.zeros(1, 2, 4), starts, detector=BumpDetector())
    assert points.known.tolist() == [True, False]
    ws = torch.zeros(1, 2, 4)
    ws[0, 0, :2] = torch.tensor([0.8, -0.5])  # 0.08 to the right, 0.05 up
    found = points.find(ws)
    assert found is not None
    wanted = HOME[0] + torch.tensor([0.08, -0.05])
    assert (found[0] - wanted).abs().max() < 1 / SIDE


def test_without_a_face_no_point_is_known() -> None:
    points = FacePoints(planted(), torch.zeros(1, 2, 4), HOME, detector=_Blind())
    assert not points.known.any()
    assert points.find(torch.zeros(1, 2, 4)) is None


def test_a_face_that_is_gone_places_no_point() -> None:
    points = FacePoints(planted(), torch.zeros(1, 2, 4), HOME, detector=BumpDetector(finds=1))
    assert points.known[0]
    assert points.find(torch.zeros(1, 2, 4)) is None
