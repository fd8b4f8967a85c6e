"""The house holds: imports point down, no circles, and nothing grows too large to be read."""

from tools import structure


def test_imports_point_down():
    assert structure.upward() == []


def test_no_two_folders_need_each_other():
    assert structure.circles() == []


def test_every_room_has_its_floor():
    rooms = {structure.folder(path).split(".")[0] for path in structure.modules()}
    assert rooms == set(structure.RANK)


def test_no_folder_is_crowded_and_no_module_is_long():
    assert structure.crowded() == {}
    assert structure.long() == {}
