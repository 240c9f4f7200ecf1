import math

from real3d.evaluation import tables


def test_table_is_markdown():
    assert tables.table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


def test_mean_and_median_leave_out_what_is_no_number():
    assert tables.mean([1.0, math.nan, 3.0]) == 2
    assert tables.median([1.0, math.nan, 3.0, 8.0]) == 3
    assert tables.number(tables.mean([]), 2) == tables.number(tables.median([]), 2) == "–"
