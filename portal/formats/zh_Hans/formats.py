"""Numbers as Chinese readers of papers write them: 1,000,000. Django's own format leaves the digits ungrouped."""

THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3
