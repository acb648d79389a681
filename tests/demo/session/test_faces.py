"""Undo and redo."""

from stylegan_latents.demo.session.faces import History


def test_undo_and_redo_walk_the_edits() -> None:
    history = History()
    assert not history.can_undo
    history.push({"pose": 1.0})
    history.push({"pose": 1.0, "age": -2.0})
    assert history.undo() == {"pose": 1.0}
    assert history.undo() == {}
    assert history.undo() == {}
    assert not history.can_undo
    assert history.redo() == {"pose": 1.0}
    assert history.can_redo


def test_equal_edits_and_zeros_are_no_step() -> None:
    history = History()
    history.push({"pose": 0.0})
    assert not history.can_undo
    history.push({"pose": 1.0, "age": 0.0})
    history.push({"pose": 1.0})
    assert history.undo() == {}


def test_a_new_edit_forgets_what_was_undone() -> None:
    history = History()
    history.push({"pose": 1.0})
    history.undo()
    history.push({"age": 1.0})
    assert not history.can_redo
    assert history.undo() == {}


def test_the_history_is_bounded() -> None:
    history = History()
    for step in range(1, 1000):
        history.push({"pose": float(step)})
    steps = 0
    while history.can_undo:
        history.undo()
        steps += 1
    assert steps == 199
    assert history.current == {"pose": 800.0}


def test_what_moves_is_no_step_and_the_next_step_forgets_it() -> None:
    history = History()
    history.push({"pose": 1.0})
    history.move("age", 2.0)
    history.move("pose", 0.0)
    assert history.moving == {"age": 2.0}
    assert history.current == {"pose": 1.0}
    history.push({"pose": 1.0})  # equal edits end the move as well
    assert history.moving == {"pose": 1.0}
    history.move("age", 2.0)
    assert history.undo() == {"pose": 1.0}  # a slider moved just before is the step undone
    assert history.redo() == {"pose": 1.0, "age": 2.0}


def test_a_drawing_that_comes_after_undo_redo_or_reset_is_no_step() -> None:
    history = History()
    for strength in (1.0, 2.0):
        history.move("pose", strength)
        history.push({"pose": strength})
    history.undo()
    history.push({"pose": 2.0})
    assert history.can_redo
    assert history.redo() == {"pose": 2.0}
    history.push({"pose": 1.0})
    assert history.current == {"pose": 2.0}
    history.reset()
    history.push({"pose": 2.0})
    assert history.current == {}
    history.move("pose", 2.0)
    history.push({"pose": 2.0})
    assert history.current == {"pose": 2.0}


def test_a_reset_after_undo_and_redo_is_a_step() -> None:
    history = History()
    history.push({"pose": 1.0})
    history.undo()
    history.redo()
    history.reset()
    assert history.current == {}
    assert history.undo() == {"pose": 1.0}
