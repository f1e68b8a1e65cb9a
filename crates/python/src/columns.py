class Columns(dict):
    """Columns by name, of one length, and what their reader has to know.

    pandas.DataFrame and pyarrow.table take it as it is. `notes` are the doubts that were told as UserWarning, too.
    """

    __module__ = "chairside_pkpd"
    notes = []
