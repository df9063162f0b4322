from accounts.orm.object_ids import object_id


def test_ids_are_24_hexadecimal_digits_and_differ() -> None:
    ids = {object_id() for _ in range(100)}

    assert len(ids) == 100
    assert all(len(made) == 24 and set(made) <= set("0123456789abcdef") for made in ids)
