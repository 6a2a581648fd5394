"""How well one label volume agrees with another: counted box by box, reduced range by range, said in one report."""
