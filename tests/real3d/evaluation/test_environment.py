from real3d.evaluation.environment import Environment


def test_it_says_where_and_when():
    here = Environment.here()
    assert "cores: " in here.hardware
    assert "torch" in here.software
    assert here.commit
    assert [line.split(":")[0] for line in here.lines()] == [
        "- command",
        "- date",
        "- hardware",
        "- software",
        "- commit",
    ]
