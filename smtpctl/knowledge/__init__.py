"""Everything that can be wrong, as data: the entries of the findings and what replies of servers mean."""
