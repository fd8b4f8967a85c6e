"""The house holds: imports point down, no circles, and nothing grows too large to be read."""

from tools import structure


def test_imports_point_down() -> None:
    assert structure.upward() == []


def test_no_two_folders_need_each_other() -> None:
    assert structure.circles() == []


def test_every_room_has_its_floor() -> None:
    rooms = {structure.folder(path).split(".")[0] for path in structure.modules()}
    assert rooms == set(structure.RANK)


def test_no_folder_is_crowded_and_no_module_is_long() -> None:
    assert structure.crowded() == {}
    assert structure.long() == {}
