from sandbox.engine.layers import merged


def test_a_folder_of_one_layer_is_linked_and_a_shared_one_is_merged(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    for path in (first / "python/alone/a.py", first / "python/shared/a.py", second / "python/shared/b.py"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")

    opt = merged([first, second], tmp_path / "opt")

    assert (opt / "python/alone").is_symlink()
    assert {path.name for path in (opt / "python/shared").iterdir()} == {"a.py", "b.py"}


def test_no_layers_make_an_empty_folder(tmp_path):
    assert list(merged([], tmp_path / "opt").iterdir()) == []
