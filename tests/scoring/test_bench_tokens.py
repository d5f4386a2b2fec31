"""The table of tokens meets its target on the reference's own day."""

from bench import tokens as bench


def test_a_paper_read_costs_less_than_the_target(shared_data, capsys):
    assert bench.main([]) == 0

    table = capsys.readouterr().out
    assert "360 papers in 18 calls" in table
    assert "target" in table
